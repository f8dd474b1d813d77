------------------------------ MODULE JobSeat ------------------------------
(***************************************************************************)
(* The contract of many servers, seen through one of them, is the contract *)
(* of one.  This is why a judge may look at the seat of one server at a    *)
(* time: what the others do appears there as Elsewhere, or not at all.     *)
(*                                                                         *)
(* Left out: the converse.  Legal seats make a legal whole because every   *)
(* guard of Job.tla speaks about the row, the cluster and the server that  *)
(* moves, and effects on others are told to each of them alone; but for    *)
(* the order of old claims, which no seat knows, and who ran ahead of      *)
(* whom, which the whole knows (stale, Executors).                         *)
(* Refines: Job.tla, with Server <- P.                                     *)
(***************************************************************************)
EXTENDS Job

CONSTANT P  \* the one that is looked at

ASSUME SeatIsWithin == P \subseteq Server

\* How somebody is called there.
Shown(m) == IF m \in P \cup {Nobody} THEN m ELSE Other

C == INSTANCE Job WITH
  Server <- P,
  owner <- Shown(owner),
  token <- [s \in P |-> token[s]],
  flight <- [s \in P |-> flight[s]],
  ready <- ready \cap P,
  doubted <- doubted \cap P

SeatSpec == C!Spec

=============================================================================
