-------------------------------- MODULE Pair --------------------------------
(***************************************************************************)
(* The contract of many actors, seen through two of them, is the contract  *)
(* of two.  This is why a judge may look at pairs only, and why one small  *)
(* table judges a thousand nodes: what the others do appears in a pair as  *)
(* Leave (the owner is not in it any more), as Elsewhere (a token was      *)
(* fenced from outside), or not at all.                                    *)
(*                                                                         *)
(* Left out: the converse.  Two legal pairs make a legal whole because     *)
(* every guard of Lease.tla speaks about one rival at a time.              *)
(* Refines: Lease.tla, with Actor <- P.                                    *)
(***************************************************************************)
EXTENDS Lease

CONSTANT P  \* the two that are looked at

ASSUME PairIsWithin == P \subseteq Actor

C == INSTANCE Lease WITH
  Actor <- P,
  owner <- IF owner \in P THEN owner ELSE Nobody,
  works <- works \cap P,
  doubted <- doubted \cap P,
  token <- [a \in P |-> token[a]]

PairSpec == C!Spec

=============================================================================
