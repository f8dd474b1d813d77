---------------------------- MODULE RegistrySeat ----------------------------
(***************************************************************************)
(* The contract of many nodes and subscribers, seen through one of each,   *)
(* is the contract of one.  This is why a judge may look at one seat at a  *)
(* time: what another node tells the subscriber appears there as           *)
(* Elsewhere, and whatever else others do not at all.                      *)
(*                                                                         *)
(* Left out: the converse.  Legal seats make a legal whole because every   *)
(* guard of Registry.tla speaks about the log and about the node or the    *)
(* subscriber that moves; but for what a node outside has folded, which    *)
(* the seat of the subscriber and that node knows.                         *)
(* Refines: Registry.tla, with Node <- P and Subscriber <- Q.              *)
(***************************************************************************)
EXTENDS Registry

CONSTANTS
  P,  \* the node that is looked at
  Q   \* the subscriber that is looked at

ASSUME SeatIsWithin == P \subseteq Node /\ Q \subseteq Subscriber

C == INSTANCE Registry WITH
  Node <- P,
  Subscriber <- Q,
  applied <- [n \in P |-> applied[n]],
  catalog <- [n \in P |-> catalog[n]],
  cursor <- [c \in Q |-> cursor[c]],
  view <- [c \in Q |-> view[c]]

SeatSpec == C!Spec

=============================================================================
