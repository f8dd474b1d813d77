-------------------------------- MODULE Seat --------------------------------
(***************************************************************************)
(* The contract of many servers, seen through one of them, is the contract *)
(* of one.  This is why a judge may look at the seat of one server at a    *)
(* time: what the others do appears there as Elsewhere, or not at all.     *)
(*                                                                         *)
(* Left out: the converse.  Legal seats make a legal whole because every   *)
(* guard of Context.tla speaks about the row and about the server that     *)
(* moves, and effects on others are told to each of them alone.            *)
(* Refines: Context.tla, with Server <- P.                                 *)
(***************************************************************************)
EXTENDS Context

CONSTANT P  \* the one that is looked at

ASSUME SeatIsWithin == P \subseteq Server

\* How somebody is called there.
Seen(m) == IF m \in P \cup {Nobody} THEN m ELSE Other

C == INSTANCE Context WITH
  Server <- P,
  main <- Seen(main),
  backup <- Seen(backup),
  token <- [s \in P |-> token[s]],
  cache <- [s \in P |-> cache[s]],
  doubted <- doubted \cap P,
  wrote <- Seen(wrote)

SeatSpec == C!Spec

=============================================================================
