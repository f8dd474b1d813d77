------------------------------ MODULE LiveHpcha ------------------------------
(***************************************************************************)
(* What the published election promises of progress, and the fairness that *)
(* it takes.  Crashes and lost heartbeats may go on for ever.              *)
(*                                                                         *)
(* Left out: how long anything takes.                                      *)
(* Source: hpcha.tla of the HPC Pack HA module (three properties, and      *)
(* which fairness they need).  Each assumption that is left out, or is     *)
(* weaker, costs a property.                                               *)
(***************************************************************************)
EXTENDS Hpcha

CONSTANTS
  Fair,   \* what happens if it is possible from some time on
  Strong  \* what happens if it is possible again and again

ASSUME FairIsKnown == Fair \cup Strong \subseteq {"StartHeartBeat", "LeaderElected", "StepUp"}

-----------------------------------------------------------------------------

\* A server that runs asks sooner or later: its timer fires.
StartIsFair == \A s \in Server :
  /\ WF_vars("StartHeartBeat" \in Fair /\ StartHeartBeat(s))
  /\ SF_vars("StartHeartBeat" \in Strong /\ StartHeartBeat(s))

\* Whose heartbeats come again and again is elected sooner or later, although not each of them comes through.
ElectionIsFair == \A s \in Server :
  /\ WF_vars("LeaderElected" \in Fair /\ LeaderElected(s))
  /\ SF_vars("LeaderElected" \in Strong /\ LeaderElected(s))

\* Who is elected again and again learns so sooner or later, although it may crash before.
StepUpIsFair == \A s \in Server :
  /\ WF_vars("StepUp" \in Fair /\ StepUp(s))
  /\ SF_vars("StepUp" \in Strong /\ StepUp(s))

LiveSpec == Spec /\ StartIsFair /\ ElectionIsFair /\ StepUpIsFair

-----------------------------------------------------------------------------
(* Liveness.                                                               *)

\* Somebody asks, again and again.
EventuallyHeard == []<>(beats # {})

\* Somebody is elected, again and again.
EventuallyElected == []<>(leader # Nobody)

\* Somebody works, again and again.
EventuallyPrimary == []<>(works # {})

=============================================================================
