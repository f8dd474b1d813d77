------------------------------ MODULE LiveJob ------------------------------
(***************************************************************************)
(* What the contract of a job promises of progress, and the fairness that  *)
(* it takes.  Sessions may end, rows be released and servers be paused for *)
(* ever.  Each assumption that is left out, or is weaker, costs a          *)
(* property.                                                               *)
(*                                                                         *)
(* Left out: how long anything takes (runs are judged in time); servers    *)
(* that are gone for good, which are no part of Server here; what happens  *)
(* at the servers outside, of which it is only known that they lose what   *)
(* they own; how long an instance runs, which may be for ever, unless      *)
(* somebody asks for a stop.                                               *)
(***************************************************************************)
EXTENDS Job

CONSTANTS
  Fair,   \* what happens if it is possible from some time on
  Strong  \* what happens if it is possible again and again

ASSUME FairIsKnown == Fair \cup Strong \subseteq
  {"Expire", "Claim", "Fetch", "Intend", "SendStart", "LandStart", "Adopt", "SendStop", "LandStop", "Close"}

-----------------------------------------------------------------------------
(* Fairness.                                                               *)

\* An outsider that keeps a row is heard of no more, now and then. Of those inside this need not be assumed.
ExpireIsFair ==
  /\ WF_vars("Expire" \in Fair /\ owner = Other /\ Expire)
  /\ SF_vars("Expire" \in Strong /\ owner = Other /\ Expire)

\* Somebody looks for rows that nobody owns, or whose owner's session is over.
ClaimIsFair ==
  /\ WF_vars("Claim" \in Fair /\ \E s \in Server : Claim(s))
  /\ SF_vars("Claim" \in Strong /\ \E s \in Server : Claim(s))

\* An owner gets the resource, as long as it does not have it.
FetchIsFair ==
  /\ WF_vars("Fetch" \in Fair /\ \E s \in Server : s \notin ready /\ Fetch(s))
  /\ SF_vars("Fetch" \in Strong /\ \E s \in Server : s \notin ready /\ Fetch(s))

\* An owner that has the resource writes down that it will start the instance.
IntendIsFair ==
  /\ WF_vars("Intend" \in Fair /\ \E s \in Server : Intend(s))
  /\ SF_vars("Intend" \in Strong /\ \E s \in Server : Intend(s))

\* An owner calls the cluster at least once.
SendStartIsFair ==
  /\ WF_vars("SendStart" \in Fair /\ ~used /\ \E s \in Server : Owner(s) /\ flight[s] = "none" /\ SendStart(s))
  /\ SF_vars("SendStart" \in Strong /\ ~used /\ \E s \in Server : Owner(s) /\ flight[s] = "none" /\ SendStart(s))

\* However often it is lost, a call to start arrives.
LandStartIsFair ==
  /\ WF_vars("LandStart" \in Fair /\ \E s \in Server : Land(s) /\ starts' > starts)
  /\ SF_vars("LandStart" \in Strong /\ \E s \in Server : Land(s) /\ starts' > starts)

\* An owner asks how the instance is.
AdoptIsFair ==
  /\ WF_vars("Adopt" \in Fair /\ \E s \in Server : Adopt(s))
  /\ SF_vars("Adopt" \in Strong /\ \E s \in Server : Adopt(s))

\* An owner who finds that a stop was asked for calls the cluster at least once.
SendStopIsFair ==
  /\ WF_vars("SendStop" \in Fair /\ cancel /\ \E s \in Server : Owner(s) /\ flight[s] # "stop" /\ SendStop(s))
  /\ SF_vars("SendStop" \in Strong /\ cancel /\ \E s \in Server : Owner(s) /\ flight[s] # "stop" /\ SendStop(s))

\* However often it is lost, a call to stop arrives, and the instance ends.
LandStopIsFair ==
  /\ WF_vars("LandStop" \in Fair /\ ~Quiet /\ \E s \in Server : flight[s] = "stop" /\ Land(s) /\ Quiet')
  /\ SF_vars("LandStop" \in Strong /\ ~Quiet /\ \E s \in Server : flight[s] = "stop" /\ Land(s) /\ Quiet')

\* An owner is told that the instance is over.
CloseIsFair ==
  /\ WF_vars("Close" \in Fair /\ used /\ \E s \in Server : Close(s))
  /\ SF_vars("Close" \in Strong /\ used /\ \E s \in Server : Close(s))

LiveSpec ==
  /\ Spec
  /\ ExpireIsFair /\ ClaimIsFair /\ FetchIsFair /\ IntendIsFair /\ SendStartIsFair
  /\ LandStartIsFair /\ AdoptIsFair /\ SendStopIsFair /\ LandStopIsFair /\ CloseIsFair

-----------------------------------------------------------------------------
(* Liveness.                                                               *)

\* The cluster starts the instance, unless the attempt was given up or stopped before.
EventuallyStarted == <>(used \/ row = "over")

\* The row calls running what runs, and goes on to.
RunningIsWritten == row = "starting" /\ live > 0 ~> row # "starting" \/ live = 0

\* What somebody asked to be stopped is over.
CancelledIsOver == cancel ~> row = "over"

\* An attempt whose instance is over is over.
EndedIsOver == used /\ live = 0 ~> row = "over"

=============================================================================
