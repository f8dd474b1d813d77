------------------------------ MODULE LiveLease ------------------------------
(***************************************************************************)
(* What the contract of a lease promises of progress, and what it takes:   *)
(* the store, the resource and the actors do not wait for ever, and there  *)
(* is a last pause.  Rows may be lost, and primaries may crash, for ever.  *)
(* Each assumption that is left out costs a property.                      *)
(*                                                                         *)
(* Left out: how long anything takes (runs are judged in time); actors     *)
(* that crashed for good, which are no part of Actor here.                 *)
(***************************************************************************)
EXTENDS Lease

CONSTANTS
  Fair,    \* what happens if it is possible from some time on
  Strong,  \* what happens if it is possible again and again
  Rests    \* FALSE plants: pauses go on for ever

ASSUME FairIsKnown == Fair \cup Strong \subseteq {"Grant", "Accept", "StepUp", "StepDown", "Trust"}
ASSUME RestsIsBoolean == Rests \in BOOLEAN

-----------------------------------------------------------------------------
(* Fairness.                                                               *)

\* The store answers those who ask for a free lease.
GrantIsFair ==
  /\ WF_vars("Grant" \in Fair /\ owner = Nobody /\ \E a \in Actor : Grant(a))
  /\ SF_vars("Grant" \in Strong /\ owner = Nobody /\ \E a \in Actor : Grant(a))

\* An operation of the owner lands sooner or later, if it sends some again and again.
AcceptIsFair == \A a \in Actor :
  /\ WF_vars("Accept" \in Fair /\ owner = a /\ Accept(a))
  /\ SF_vars("Accept" \in Strong /\ owner = a /\ Accept(a))

\* Who is trusted, and may work again and again, works sooner or later.
StepUpIsFair == \A a \in Actor :
  /\ WF_vars("StepUp" \in Fair /\ a \notin doubted /\ StepUp(a))
  /\ SF_vars("StepUp" \in Strong /\ a \notin doubted /\ StepUp(a))

\* A doubted actor that works must not be trusted with a rival, nor with operations that are older than its own.
Errs(a) ==
  /\ a \in works \cap doubted
  /\ Rivals(a) # {} \/ (owner = a /\ Open(a) # {})

\* A doubted actor that errs learns so sooner or later, and stops.
StepDownIsFair == \A a \in Actor :
  /\ WF_vars("StepDown" \in Fair /\ Errs(a) /\ StepDown(a))
  /\ SF_vars("StepDown" \in Strong /\ Errs(a) /\ StepDown(a))

\* A pause ends, and a clock is set right.
TrustIsFair == \A a \in Actor :
  /\ WF_vars("Trust" \in Fair /\ Trust(a))
  /\ SF_vars("Trust" \in Strong /\ Trust(a))

\* There is a last pause, and a last time that a clock goes wrong.
DoubtRests == <>[][Rests => \A a \in Actor : ~Doubt(a)]_vars

LiveSpec == Spec /\ GrantIsFair /\ AcceptIsFair /\ StepUpIsFair /\ StepDownIsFair /\ TrustIsFair /\ DoubtRests

-----------------------------------------------------------------------------
(* Liveness.                                                               *)

\* Whoever is doubted is trusted again, however often that happens.
DoubtEnds == \A a \in Actor : a \in doubted ~> a \notin doubted

\* A free lease is granted, unless somebody works on.
FreeLeaseIsGranted == (owner = Nobody) ~> (owner # Nobody \/ works \ doubted # {})

\* A trusted actor works, again and again: crashes may go on for ever.
EventuallyPrimary == []<>(works \ doubted # {})

\* Where nobody crashes or gives up any more, there is always a trusted actor that works.
CalmPrimaryLasts == <>[][\A a \in Actor : ~StepDown(a)]_vars => <>[](works \ doubted # {})

=============================================================================
