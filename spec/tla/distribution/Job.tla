-------------------------------- MODULE Job --------------------------------
(***************************************************************************)
(* The contract of one attempt of one job: the life of one instance name   *)
(* on an external cluster, whatever protocol distributes the jobs.         *)
(*                                                                         *)
(* A row names the server that owns the job, and counts claims as epochs.  *)
(* The cluster outlives every server: what was sent to it still arrives    *)
(* when its sender is gone.  A claim matters in two ways, and four words   *)
(* are enough for both: none, current (it is the row's epoch), old (it is  *)
(* not, but the cluster saw nothing newer), fenced (the cluster did).      *)
(* Other stands for every server that is not looked at, and for earlier    *)
(* claims of those that are: what they sent still arrives, too.            *)
(*                                                                         *)
(* An attempt that is over is forgotten, but for its instance and for what *)
(* may still arrive.  The next attempt has a name and a life of its own.   *)
(*                                                                         *)
(* Left out: time, answers, loss (what is in flight need not arrive), who  *)
(* ought to own the job, what it does and how it ends.  Disturbed time     *)
(* appears as one bit, doubted: the server is paused, or its clock is out  *)
(* of its bound.  Whom a doubted server believes to be owner is not owed;  *)
(* what the store and the cluster do is judged as ever.                    *)
(*                                                                         *)
(* Source: Apache StreamPark HA (polling, owners by hashing), with claims  *)
(* as rows with an epoch, and names that start once.                       *)
(* Refined by: every judged run, seat by seat (JobSeat.tla says why that   *)
(* is enough).  Effects write x' = x, because tla-checker 0.24.11 cannot   *)
(* substitute into UNCHANGED.                                              *)
(***************************************************************************)
EXTENDS Integers, FiniteSets

CONSTANTS
  Server,   \* the servers that are looked at, a finite set
  Other,    \* any server that is not, and any earlier claim of one that is
  Nobody,   \* the owner of a row that nobody owns
  Waits,    \* FALSE plants: a row is claimed although the session of its owner runs
  Raises,   \* FALSE plants: a claim that brings no new epoch
  Owns,     \* FALSE plants: servers that own nothing change the row and call the cluster
  Fetches,  \* FALSE plants: starts by servers that did not verify the resource
  Persists, \* FALSE plants: the cluster is called before the row says so
  Named,    \* FALSE plants: the cluster starts a name again
  Fences,   \* FALSE plants: the cluster follows an epoch older than the newest it saw
  Looks,    \* FALSE plants: the row says running, whatever the cluster says
  Ends,     \* FALSE plants: an attempt is over although its instance lives, or may start
  Asked,    \* FALSE plants: an instance is told to stop although nobody asked for it
  Follows   \* FALSE leaves out what decides nothing where nothing is forbidden

ASSUME OthersAreOutside == {Other, Nobody} \cap Server = {} /\ Other # Nobody
ASSUME SwitchesAreBoolean ==
  {Waits, Raises, Owns, Fetches, Persists, Named, Fences, Looks, Ends, Asked, Follows} \subseteq BOOLEAN
ASSUME WhatDecidesIsFollowed ==
  Follows \/ ~(Waits \/ Raises \/ Owns \/ Fetches \/ Persists \/ Named \/ Fences \/ Looks \/ Ends \/ Asked)

-----------------------------------------------------------------------------

VARIABLES
  owner,    \* whom the row names to run the job
  row,      \* how far the row says that the attempt has come
  expired,  \* the session of the owner is over
  token,    \* the newest claim of each server, relative to the row and to the cluster
  flight,   \* the last that each server sent in that claim; a start that went before a stop may still arrive
  ready,    \* servers that own the row before it starts, and have verified the resource
  cancel,   \* somebody asked for a stop
  doubted,  \* servers whose time is disturbed: whom they believe to be owner is not owed
  used,     \* the cluster starts the name no more
  starts,   \* how often it did
  live,     \* how many instances of the name there are
  stale,    \* an effect of an older epoch than the newest that the cluster saw: for ever
  wrongs    \* what else was done wrong: for ever

vars == <<owner, row, expired, token, flight, ready, cancel, doubted, used, starts, live, stale, wrongs>>

\* Whoever can be named, looked at or not.
Place == Server \cup {Other}

TypeOK ==
  /\ owner \in Place \cup {Nobody}
  /\ row \in {"pending", "claimed", "starting", "running", "over"}
  /\ (Owns /\ row \in {"pending", "over"}) => owner = Nobody
  /\ expired \in BOOLEAN
  /\ token \in [Server -> {"none", "current", "old", "fenced"}]
  /\ flight \in [Server -> {"none", "start", "stop"}]
  /\ ready \subseteq Server
  /\ cancel \in BOOLEAN
  /\ doubted \subseteq Server
  /\ used \in BOOLEAN
  /\ starts \in 0..2
  /\ live \in 0..starts
  /\ (starts > 0) => used
  /\ stale \in BOOLEAN
  /\ wrongs \subseteq {"haste", "unready", "unasked"}

Init ==
  /\ owner = Nobody
  /\ row = "pending"
  /\ expired = FALSE
  /\ token = [s \in Server |-> "none"]
  /\ flight = [s \in Server |-> "none"]
  /\ ready = {}
  /\ cancel = FALSE
  /\ doubted = {}
  /\ used = FALSE
  /\ starts = 0
  /\ live = 0
  /\ stale = FALSE
  /\ wrongs = {}

-----------------------------------------------------------------------------
(* Guards.                                                                 *)

\* The row names m, in the epoch that m holds. Of an outsider only its name is known.
Owner(m) == owner = m /\ (m \in Server => token[m] = "current")

\* Nobody owns the row, or its owner works no more.
Free == owner = Nobody \/ expired

\* Server s calls the cluster: it owns the row and its session runs, or it cannot tell that this is over.
MayCall(s) == IF s \in doubted THEN token[s] # "none" \/ row = "over" ELSE Owner(s) /\ ~expired

\* The row told of the start before anybody called, or of the end of what was started.
Intended == row \in {"starting", "running"} \/ (row = "over" /\ used)

\* A stop was asked for. Of what is over it does no harm; whoever takes the next attempt makes sure so.
StopIsAsked == cancel \/ row = "over"

\* The instance is not alive and never will be.
Quiet == row \in {"pending", "claimed"} \/ (used /\ live = 0)

\* The cluster saw a newer epoch of the job. What an outsider holds is not known.
Fenced(m) == m \in {s \in Server : token[s] = "fenced"}

\* Something of m may arrive.
Sent(m) == IF m \in Server THEN flight[m] # "none" ELSE Persists => Intended

\* What may arrive may be a stop.
StopIsSent(m) == IF m \in Server THEN flight[m] = "stop" ELSE Asked => StopIsAsked

\* Something wrong was done, if it was.
Wrong(what, done) == wrongs' = IF Follows /\ done THEN wrongs \cup {what} ELSE wrongs

-----------------------------------------------------------------------------
(* Effects.                                                                *)

\* A claim of m brings a new epoch, above all earlier ones; nobody on the inside holds it, when m is outside.
NewEpoch(m) == \E raises \in (IF Raises THEN {TRUE} ELSE BOOLEAN) :
  token' = [s \in Server |->
    IF s = m THEN "current" ELSE IF raises /\ token[s] = "current" THEN "old" ELSE token[s]]

\* Claims that a newer one may overtake at the cluster.
Olds == {s \in Server : token[s] = "old"}

\* What the cluster may fence when it sees the epoch of m. How old claims are relative to each other is not known.
Overtaken(m) ==
  IF Fenced(m) THEN {{}} ELSE IF m \in Server /\ token[m] = "current" THEN {Olds} ELSE SUBSET (Olds \ {m})

\* The cluster sees the epoch of m: the older ones are fenced.
Seen(m) == \E F \in Overtaken(m) : token' = [s \in Server |-> IF s \in F THEN "fenced" ELSE token[s]]

\* Nothing happens to the instance.
Untouched == used' = used /\ starts' = starts /\ live' = live

\* How often a call to start the name starts it.
Starts == IF ~used THEN {1} ELSE IF Named \/ starts = 2 THEN {0} ELSE {0, 1}

\* The cluster starts the name, unless it did or was told to stop it.
Started == \E n \in Starts : used' = TRUE /\ starts' = starts + n /\ live' = live + n

\* The name is used up, and what lives of it ends, now or by itself later.
Stopped == used' = TRUE /\ starts' = starts /\ live' \in {0, live}

\* What arrives from m is a start or a stop.
Followed(m) == Started \/ ((Follows => StopIsSent(m)) /\ Stopped)

\* Whether what m sent is of an older epoch. What an outsider holds is not known, but a fence would have stopped it.
Outdated(m) == IF m \in Server THEN {Fenced(m)} ELSE IF Fences THEN {FALSE} ELSE BOOLEAN

\* An older epoch changed the instance, or did before.
Stale(m) == \E is \in (IF Follows THEN Outdated(m) ELSE {FALSE}) :
  stale' = (stale \/ (is /\ <<used, starts, live>>' # <<used, starts, live>>))

-----------------------------------------------------------------------------
(* Store: the row.  Each step is taken by m, which may be outside.         *)

\* m becomes owner. What it sent in an earlier claim is an outsider's from now on; the resource it may have already.
Claim(m) ==
  /\ row # "over"
  /\ Waits => Free
  /\ owner' = m
  /\ row' = IF row = "pending" THEN "claimed" ELSE row
  /\ expired' = FALSE
  /\ NewEpoch(m)
  /\ flight' = [s \in Server |-> IF s = m THEN "none" ELSE flight[s]]
  /\ \E has \in (IF Follows /\ m \in Server /\ row \in {"pending", "claimed"} THEN BOOLEAN ELSE {FALSE}) :
       ready' = IF has THEN {m} ELSE {}
  /\ cancel' = cancel
  /\ doubted' = doubted
  /\ Untouched
  /\ stale' = stale
  /\ Wrong("haste", ~Free)

\* The owner gives the row back, for another one to claim. Its instance goes on.
Release(m) ==
  /\ row # "over"
  /\ owner # Nobody
  /\ Owns => Owner(m)
  /\ owner' = Nobody
  /\ row' = IF row = "claimed" THEN "pending" ELSE row
  /\ expired' = FALSE
  /\ ready' = {}
  /\ token' = token
  /\ flight' = flight
  /\ cancel' = cancel
  /\ doubted' = doubted
  /\ Untouched
  /\ stale' = stale
  /\ wrongs' = wrongs

\* The row tells of the start, before anybody calls the cluster.
Intend(m) ==
  /\ row \in {"pending", "claimed"}
  /\ Owns => Owner(m)
  /\ (Fetches /\ m \in Server) => m \in ready
  /\ row' = "starting"
  /\ ready' = {}
  /\ owner' = owner
  /\ expired' = expired
  /\ token' = token
  /\ flight' = flight
  /\ cancel' = cancel
  /\ doubted' = doubted
  /\ Untouched
  /\ stale' = stale
  /\ Wrong("unready", m \in Server /\ m \notin ready)

\* The owner was told by the cluster that the instance was started, by whomever.
Adopt(m) ==
  /\ row = "starting"
  /\ Owns => Owner(m)
  /\ Looks => starts > 0
  /\ row' = "running"
  /\ owner' = owner
  /\ expired' = expired
  /\ token' = token
  /\ flight' = flight
  /\ ready' = ready
  /\ cancel' = cancel
  /\ doubted' = doubted
  /\ Untouched
  /\ stale' = stale
  /\ wrongs' = wrongs

\* The owner was told that the instance is over; or it gives up before it told of a start. The attempt is forgotten.
Close(m) ==
  /\ row # "over"
  /\ Owns => Owner(m)
  /\ Ends => Quiet
  /\ row' = "over"
  /\ owner' = Nobody
  /\ expired' = FALSE
  /\ token' = [s \in Server |-> "none"]
  /\ ready' = {}
  /\ cancel' = FALSE
  /\ flight' = flight
  /\ doubted' = doubted
  /\ Untouched
  /\ stale' = stale
  /\ wrongs' = wrongs

-----------------------------------------------------------------------------
(* Cluster.                                                                *)

\* The cluster answers m whether it knows the name. From then on it follows nothing older.
Ask(m) ==
  /\ (Owns /\ m \in Server) => token[m] # "none" \/ row = "over"
  /\ Seen(m)
  /\ owner' = owner
  /\ row' = row
  /\ expired' = expired
  /\ flight' = flight
  /\ ready' = ready
  /\ cancel' = cancel
  /\ doubted' = doubted
  /\ Untouched
  /\ stale' = stale
  /\ wrongs' = wrongs

\* What m sent arrives, perhaps once more: it starts the instance, or stops it, or is refused.
Land(m) ==
  /\ Follows => Sent(m)
  /\ (Fenced(m) /\ Untouched) \/ (~(Fences /\ Fenced(m)) /\ Followed(m))
  /\ Stale(m)
  /\ Seen(m)
  /\ owner' = owner
  /\ row' = row
  /\ expired' = expired
  /\ flight' = flight
  /\ ready' = ready
  /\ cancel' = cancel
  /\ doubted' = doubted
  /\ wrongs' = wrongs

-----------------------------------------------------------------------------
(* Servers.                                                                *)

\* A server that owns the row has verified the resource.
Fetch(s) ==
  /\ Follows => Owner(s) /\ row = "claimed"
  /\ ready' = IF Follows THEN {s} ELSE {}
  /\ owner' = owner
  /\ row' = row
  /\ expired' = expired
  /\ token' = token
  /\ flight' = flight
  /\ cancel' = cancel
  /\ doubted' = doubted
  /\ Untouched
  /\ stale' = stale
  /\ wrongs' = wrongs

\* A server calls the cluster to start the instance, perhaps once more.
SendStart(s) ==
  /\ Owns => MayCall(s)
  /\ Persists => Intended
  /\ flight' = IF Follows /\ flight[s] = "none" THEN [flight EXCEPT ![s] = "start"] ELSE flight
  /\ owner' = owner
  /\ row' = row
  /\ expired' = expired
  /\ token' = token
  /\ ready' = ready
  /\ cancel' = cancel
  /\ doubted' = doubted
  /\ Untouched
  /\ stale' = stale
  /\ wrongs' = wrongs

\* A server calls the cluster to stop it.
SendStop(s) ==
  /\ Owns => MayCall(s) \/ row = "over"
  /\ Persists => Intended
  /\ Asked => StopIsAsked
  /\ flight' = IF Follows THEN [flight EXCEPT ![s] = "stop"] ELSE flight
  /\ owner' = owner
  /\ row' = row
  /\ expired' = expired
  /\ token' = token
  /\ ready' = ready
  /\ cancel' = cancel
  /\ doubted' = doubted
  /\ Untouched
  /\ stale' = stale
  /\ Wrong("unasked", ~StopIsAsked)

-----------------------------------------------------------------------------
(* Environment.                                                            *)

\* A pause begins, or a clock leaves its bound.
Doubt(s) ==
  /\ Follows => s \notin doubted
  /\ doubted' = IF Follows THEN doubted \cup {s} ELSE doubted
  /\ owner' = owner
  /\ row' = row
  /\ expired' = expired
  /\ token' = token
  /\ flight' = flight
  /\ ready' = ready
  /\ cancel' = cancel
  /\ Untouched
  /\ stale' = stale
  /\ wrongs' = wrongs

\* The disturbance is over, and so is the error that it excused.
Trust(s) ==
  /\ Follows => s \in doubted
  /\ doubted' = doubted \ {s}
  /\ owner' = owner
  /\ row' = row
  /\ expired' = expired
  /\ token' = token
  /\ flight' = flight
  /\ ready' = ready
  /\ cancel' = cancel
  /\ Untouched
  /\ stale' = stale
  /\ wrongs' = wrongs

\* The session of the owner is over.
Expire ==
  /\ owner # Nobody
  /\ ~expired
  /\ expired' = Follows
  /\ owner' = owner
  /\ row' = row
  /\ token' = token
  /\ flight' = flight
  /\ ready' = ready
  /\ cancel' = cancel
  /\ doubted' = doubted
  /\ Untouched
  /\ stale' = stale
  /\ wrongs' = wrongs

\* The owner is heard of again, before anybody found it expired.
Renew ==
  /\ owner # Nobody
  /\ Follows => expired
  /\ expired' = FALSE
  /\ owner' = owner
  /\ row' = row
  /\ token' = token
  /\ flight' = flight
  /\ ready' = ready
  /\ cancel' = cancel
  /\ doubted' = doubted
  /\ Untouched
  /\ stale' = stale
  /\ wrongs' = wrongs

\* A client asks for a stop.
Cancel ==
  /\ row # "over"
  /\ ~cancel
  /\ cancel' = Follows
  /\ owner' = owner
  /\ row' = row
  /\ expired' = expired
  /\ token' = token
  /\ flight' = flight
  /\ ready' = ready
  /\ doubted' = doubted
  /\ Untouched
  /\ stale' = stale
  /\ wrongs' = wrongs

\* An instance ends by itself.
Exit ==
  /\ live > 0
  /\ live' = live - 1
  /\ used' = used
  /\ starts' = starts
  /\ owner' = owner
  /\ row' = row
  /\ expired' = expired
  /\ token' = token
  /\ flight' = flight
  /\ ready' = ready
  /\ cancel' = cancel
  /\ doubted' = doubted
  /\ stale' = stale
  /\ wrongs' = wrongs

\* What a server outside does to the row or to the cluster.
Elsewhere ==
  Claim(Other) \/ Release(Other) \/ Intend(Other) \/ Adopt(Other) \/ Close(Other) \/ Ask(Other) \/ Land(Other)

-----------------------------------------------------------------------------

Store(s) == Claim(s) \/ Release(s) \/ Intend(s) \/ Adopt(s) \/ Close(s)

Cluster(s) == Ask(s) \/ Land(s)

System(s) == Fetch(s) \/ SendStart(s) \/ SendStop(s)

Environment(s) == Doubt(s) \/ Trust(s)

Surroundings == Expire \/ Renew \/ Cancel \/ Exit

Next == Elsewhere \/ Surroundings \/ \E s \in Server : Store(s) \/ Cluster(s) \/ System(s) \/ Environment(s)

\* No fairness: the contract says what must not happen.  That jobs end at
\* all is judged on its own, in time; LiveJob.tla says what it takes.
Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Safety.                                                                 *)

\* An instance name is started once, for ever.
StartedOnce == starts <= 1

\* Whoever called the cluster in the row's epoch, or in none at all.
Executors == {s \in Server : flight[s] # "none" /\ token[s] \in {"none", "current"}}

\* In an epoch of the row, one server alone calls the cluster: the one that the row names.
AtMostOneExecutorPerEpoch == row # "over" =>
  /\ Cardinality(Executors) <= 1
  /\ owner # Nobody => Executors \subseteq {owner}

\* No effect of an older epoch follows after the cluster saw a newer one.
NoStaleEffect == ~stale

\* Of an attempt that is over, nothing lives, ever again.
DoneIsQuiet == row = "over" => live = 0

\* The row tells of whatever was sent, so that another server finds it; what it calls running was started, and is
\* stopped only if somebody asked for that.
NoLostJob ==
  /\ (\E s \in Server : flight[s] # "none") => Intended
  /\ row = "running" => starts > 0
  /\ "unasked" \notin wrongs

\* The row tells of a start only after its owner has verified the resource.
StartsOnlyWithResources == "unready" \notin wrongs

\* A row is claimed only when nobody owns it, or its owner's session is over.
ClaimWaitsForOwner == "haste" \notin wrongs

=============================================================================
