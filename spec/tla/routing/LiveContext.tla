----------------------------- MODULE LiveContext -----------------------------
(***************************************************************************)
(* What the contract of a context promises of progress, and the fairness   *)
(* that it takes.  Failovers, repairs, crashes and pauses may go on for    *)
(* ever.  Each assumption that is left out, or is weaker, costs a property.*)
(*                                                                         *)
(* Left out: how long anything takes (runs are judged in time); servers    *)
(* that are gone for good, which are no part of Server here; what happens  *)
(* at the servers outside, of which the contract knows the name only.      *)
(***************************************************************************)
EXTENDS Context

CONSTANTS
  Fair,   \* what happens if it is possible from some time on
  Strong  \* what happens if it is possible again and again

ASSUME FairIsKnown == Fair \cup Strong \subseteq {"Create", "Grant", "Take", "Apply", "Load", "Ack", "Forget", "Trust"}

-----------------------------------------------------------------------------
(* Fairness.                                                               *)

\* A client creates the context, at whichever server it finds.
CreateIsFair ==
  /\ WF_vars("Create" \in Fair /\ \E m \in Place : Create(m))
  /\ SF_vars("Create" \in Strong /\ \E m \in Place : Create(m))

\* The main asks for its context, as long as it does not own it.
GrantIsFair == \A s \in Server :
  /\ WF_vars("Grant" \in Fair /\ ~Owner(s) /\ Grant(s))
  /\ SF_vars("Grant" \in Strong /\ ~Owner(s) /\ Grant(s))

\* The backup looks at the main's heartbeat row, and takes over if it stays expired.
TakeIsFair == \A s \in Server :
  /\ WF_vars("Take" \in Fair /\ Take(s))
  /\ SF_vars("Take" \in Strong /\ Take(s))

\* The client of a write that left no trace asks once more.
ApplyIsFair ==
  /\ WF_vars("Apply" \in Fair /\ write = "none" /\ \E m \in Place : Apply(m) /\ write' = "applied")
  /\ SF_vars("Apply" \in Strong /\ write = "none" /\ \E m \in Place : Apply(m) /\ write' = "applied")

\* An owner that is trusted fills its cache, since clients read.
LoadIsFair == \A s \in Server :
  /\ WF_vars("Load" \in Fair /\ s \notin doubted /\ cache[s] # "current" /\ Load(s))
  /\ SF_vars("Load" \in Strong /\ s \notin doubted /\ cache[s] # "current" /\ Load(s))

\* Somebody tells the client that its write is in the row, however often an answer is lost.
AckIsFair ==
  /\ WF_vars("Ack" \in Fair /\ write = "applied" /\ \E m \in Place : Ack(m))
  /\ SF_vars("Ack" \in Strong /\ write = "applied" /\ \E m \in Place : Ack(m))

\* A doubted server learns how old its cache is, and drops it.
ForgetIsFair == \A s \in Server :
  /\ WF_vars("Forget" \in Fair /\ s \in doubted /\ cache[s] = "stale" /\ Forget(s))
  /\ SF_vars("Forget" \in Strong /\ s \in doubted /\ cache[s] = "stale" /\ Forget(s))

\* A pause ends, and a clock is set right.
TrustIsFair == \A s \in Server :
  /\ WF_vars("Trust" \in Fair /\ Trust(s))
  /\ SF_vars("Trust" \in Strong /\ Trust(s))

LiveSpec ==
  /\ Spec
  /\ CreateIsFair /\ GrantIsFair /\ TakeIsFair /\ ApplyIsFair
  /\ LoadIsFair /\ AckIsFair /\ ForgetIsFair /\ TrustIsFair

-----------------------------------------------------------------------------
(* Liveness.                                                               *)

\* Whoever is doubted is trusted again, however often that happens.
DoubtEnds == \A s \in Server : s \in doubted ~> s \notin doubted

\* The main owns the context, again and again.
EventuallyOwned == []<>(main # Nobody /\ Owner(main))

\* A main that stays expired is replaced by the backup that the row names.
NamedBackupTakesOver ==
  \A s \in Server : (expired /\ backup = s /\ main # s) ~> (~expired \/ backup # s \/ main = s)

\* Who stays main answers from a cache that shows every write that a client was told of.
MainServesAgain == \A s \in Server : main = s ~> (main # s \/ (s \notin doubted /\ cache[s] = "current"))

\* A write that the store accepted is acknowledged, or another one that covers it.
WriteIsEventuallyAcknowledged == write = "applied" ~> write = "acked"

=============================================================================
