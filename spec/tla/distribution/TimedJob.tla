------------------------------ MODULE TimedJob ------------------------------
(***************************************************************************)
(* One job, two servers, the store and the cluster, in time: what the row, *)
(* the members, the sessions, what servers know, and the messages in       *)
(* flight do.  One action is one input of one machine.  True time is an    *)
(* integer of quanta; every machine reads microseconds from a clock of its *)
(* own.  A message may arrive until its last quantum, in any order, or     *)
(* never; nothing else loses messages.                                     *)
(*                                                                         *)
(* It begins when the servers of Warm have polled twice.  Each of them,    *)
(* First before Second, was granted its session in the quantum in which it *)
(* was started, then was told of all members; it beat in every quantum,    *)
(* polled once more, found no row, and was answered.  Then First writes    *)
(* the row down, which is for First to take.  Two ways lead there:         *)
(*   Apart is FALSE   both were started in quantum 0, and polled in 1;     *)
(*                    those in Lags were told before Second joined, and    *)
(*                    what they asked in quantum 1 is still on its way     *)
(*   Apart is TRUE    polls are two intervals apart; First was started in  *)
(*                    quantum 0 and polled in 2, Second in 1 and 3, so     *)
(*                    they poll in turns                                   *)
(*                                                                         *)
(* variable       read from                                                *)
(*   now           true time, in quanta                                    *)
(*   status        the node of a server: off, up, paused, late, down       *)
(*   candidate     JobServer::candidate, with the number of its start; a   *)
(*                 fresh one where no process is.  seen.row without host,  *)
(*                 version, stamp and term (two rows of a seat have one    *)
(*                 version if and only if they have one epoch and seq);    *)
(*                 proofs not older than anchorTag.  awaitedTag is tag     *)
(*                 whenever something is awaited                           *)
(*   server        JobServer: nextPoll, tag; locked, where membership is   *)
(*                 frozen, else 0; parts, how many are left of the two;    *)
(*                 listing without after, which is never there             *)
(*   view          MemberView: the servers on its ring as members;         *)
(*                 version, changedAt, renamed, frozen, asked              *)
(*   work          JobServer::works of the row, or Nobody: its row (below) *)
(*                 without abandoned and orphan; confirmed, state,         *)
(*                 intended, executed, orphan, releasing, asked, due       *)
(*   table         HeartbeatTable::entries, without host, stamp, term and  *)
(*                 version                                                 *)
(*   members       Members: servers, changes; version is how many changes  *)
(*                 there are                                               *)
(*   row           Jobs::rows of the one job, or Nobody when it is         *)
(*                 deleted: home, owner, epoch, version, phase, abandoned, *)
(*                 orphan.  last is there unless phase is Pending          *)
(*   cluster       Cluster: state, starts and live of the one instance,    *)
(*                 and the newest epoch that it saw                        *)
(*   messages      the messages in flight.  An epoch of a session is its   *)
(*                 counter, an incarnation <<start, life>>.  sentAt is     *)
(*                 left out, and so is by of a listing, after of news, and *)
(*                 what a server tells about itself that from tells too    *)
(*   held          Output::Effect of a server, until it leaves             *)
(*   used          the faults so far                                       *)
(*   granted       of each server: the newest epoch of the row that it was *)
(*                 given.  With called, stale and wrongs for the contract  *)
(*                 only                                                    *)
(*                                                                         *)
(* contract        here                                                    *)
(*   owner          the server of row.owner                                *)
(*   row            pending and claimed: Pending, without and with owner;  *)
(*                  starting, running; over, when it is deleted            *)
(*   expired        the entry of the owner is of a later session, or not   *)
(*                  valid                                                  *)
(*   token          none without a claim; current, if granted is the row's *)
(*                  epoch; fenced, if the cluster saw a newer one than     *)
(*                  granted; else old                                      *)
(*   flight         start, if the server is in called                      *)
(*   ready          the owner of what is claimed: nothing is to be fetched *)
(*   doubted        who is paused or late                                  *)
(*   used           the name was started                                   *)
(*   starts, live   the cluster's                                          *)
(*   stale, wrongs  as they are                                            *)
(*   cancel         FALSE                                                  *)
(*                                                                         *)
(* Left out: resources, and with them the center; submitters; any action   *)
(* but START, so that nothing is stopped, and no attempt follows another;  *)
(* the exit of an instance, which runs beyond the horizon; more rows, and  *)
(* listings in several messages; resignation; a store that forgets; what   *)
(* rules about tasks, engines and points tell apart (J2, J3, J7), of which *)
(* one row, and a ring that is a table (Home, HalfOf), know nothing.       *)
(* Elections are hardened and without a resource, and no stop takes time.  *)
(*                                                                         *)
(* Actions bind what they compute by \E x \in {value}, because tla-checker *)
(* 0.24.11 computes what LET names in an action anew wherever it is used.  *)
(*                                                                         *)
(* Source: core/src/distribution, core/src/election.  Refines: Job.tla.    *)
(***************************************************************************)
EXTENDS Integers, FiniteSets, Sequences

CONSTANTS
  First,       \* the server of the lower number
  Second,      \* the other one
  Store,       \* the database: sessions, members, rows
  Cluster,     \* the external cluster
  Nobody,      \* no server, no row, nothing known
  Other,       \* a server of the contract that does not exist here
  Quantum,     \* microseconds of true time
  Rate,        \* of each server: microseconds that its clock shows in a quantum
  StoreRate,   \* the same, of the store
  Interval,    \* I, on the clock of a server
  Timeout,     \* T, on the clock of the store
  Term,        \* the safe term, on the clock of a server
  Poll,        \* how often a server polls, on its clock
  Watch,       \* how often it asks after an instance that runs
  Patience,    \* how long an answer is waited for
  Calm,        \* how long the ring must have stood still before a row is released
  Takes,       \* from the decision to call the cluster to the call
  Home,        \* whose the row is when both are members; who is alone has it
  HalfOf,      \* of each server: in which half of its way around the ring it finds the row, 1 or 2
  Warm,        \* the servers that are members from the start
  Lags,        \* those of them that were told before Second joined
  Apart,       \* TRUE: they poll in turns
  Delay,       \* D, in quanta
  Horizon,     \* the end of time, in quanta
  Frail,       \* the servers that may crash or pause
  Crashes,     \* how many crashes there are at most
  Pauses,      \* how many pauses
  Losses,      \* how many messages are lost although somebody could receive them; Unbounded counts nothing
  Identity,    \* J1: "PathThenName" or "One"
  Claiming,    \* J4: "None" or "CompareAndSet"
  Progress,    \* J5: "DeleteAfterRun" or "States"
  Membership,  \* J6: "Frozen" or "Versioned"
  Fencing,     \* J8: "None" or "Epoch"
  Handover     \* J9: "AtOnce" or "ReleaseFirst"

Server == {First, Second}

\* No deadline.
Never == 1000000000

\* Losses are not counted.
Unbounded == 1000

ASSUME PlacesDiffer == Cardinality({First, Second, Store, Cluster, Nobody, Other}) = 6
ASSUME FirstIsWarm == First \in Warm /\ Warm \subseteq Server
ASSUME FirstLags == Lags \subseteq {First} /\ (Lags # {} => Warm = Server /\ ~Apart)
ASSUME EachBeatAndPolled ==
  \A s \in Server : Interval <= Rate[s] /\ Poll <= (IF Apart THEN 2 * Rate[s] ELSE Rate[s])
                  /\ (Apart => Poll > Rate[s])
ASSUME HomeIsServer == Home \in Server /\ \A s \in Server : HalfOf[s] \in 1..2
ASSUME RulesAreKnown ==
  /\ Identity \in {"PathThenName", "One"}
  /\ Claiming \in {"None", "CompareAndSet"}
  /\ Progress \in {"DeleteAfterRun", "States"}
  /\ Membership \in {"Frozen", "Versioned"}
  /\ Fencing \in {"None", "Epoch"}
  /\ Handover \in {"AtOnce", "ReleaseFirst"}

-----------------------------------------------------------------------------

VARIABLES
  now,        \* true time
  status,     \* of each node of a server
  candidate,  \* of each server: its election
  server,     \* of each server: when it polls, and what it lists
  view,       \* of each server: the members, as it knows them
  work,       \* of each server: what it knows of the row
  table,      \* of each seat: its heartbeat entry
  members,    \* who is a member, and what changed that
  row,        \* the job's row
  cluster,    \* the instance, and the newest epoch
  messages,   \* in flight
  held,       \* calls that were decided on, and did not leave yet
  used,       \* the faults so far
  granted,    \* of each server: its newest claim
  called,     \* who decided to start the instance, since its newest claim
  stale,      \* an older epoch changed the instance after a newer one was seen
  wrongs      \* what else was done wrong

minds == <<candidate, server, view, work>>
stores == <<table, members, row>>
ghosts == <<granted, called, stale, wrongs>>
vars == <<now, status, minds, stores, cluster, messages, held, used, ghosts>>

\* The quantum in which all begins; those in which a server of Warm was started, and in which it polled last.
Begin == IF Apart THEN 3 ELSE 1
Started(s) == IF Apart /\ s = Second THEN 1 ELSE 0
Polled(s) == IF Apart THEN Started(s) + 2 ELSE 1

TypeOK ==
  /\ now \in Begin..Horizon
  /\ \A s \in Server : status[s] \in {"off", "up", "paused", "late", "down"}
  /\ \A s \in Server : candidate[s].phase \in {"Standby", "Primary"}
  /\ \A s \in Server : candidate[s].phase = "Primary" <=> candidate[s].leaseUntil # Never
  /\ \A s \in Server : server[s].parts \in 0..2 /\ view[s].members \subseteq Server
  /\ \A s \in Server : work[s] = Nobody \/ work[s].state \in {"Unknown", "Never", "Running", "Refused"}
  /\ members.servers \subseteq Server
  /\ row # Nobody => row.phase \in {"Pending", "Starting", "Running"} /\ row.home \in Server
  /\ cluster.state \in {"Never", "Running"}
  /\ \A m \in messages : m.until >= now /\ m.until <= now + Delay
  /\ \A h \in held : h.from \in Server
  /\ called \subseteq Server
  /\ stale \in BOOLEAN
  /\ wrongs \subseteq {"haste"}

\* A candidate of a new process, in its first life.
FreshCandidate(start) ==
  [start |-> start, life |-> 1, phase |-> "Standby", tag |-> 0, awaiting |-> "Nothing", seen |-> Nobody, epoch |-> 0,
   proofs |-> {}, anchorTag |-> 0, nextTick |-> 0, replyDue |-> Never, leaseUntil |-> Never]

\* A server of a new process.
FreshServer == [nextPoll |-> 0, tag |-> 0, locked |-> 0, parts |-> 0, listing |-> Nobody]

\* What it knows of the members.
FreshView == [members |-> {}, version |-> 0, changedAt |-> 0, renamed |-> FALSE, frozen |-> FALSE, asked |-> Nobody]

\* It looks at all rows at each poll: JobServer::lists_all.
ListsAll == Claiming = "None" \/ Handover = "AtOnce"

\* The requests of its election so far: it asked, claimed, and beat once a quantum since.
Beats(s) == 2 + Begin - Started(s)

WarmCandidate(s) ==
  [FreshCandidate(1) EXCEPT !.phase = "Primary", !.tag = Beats(s), !.epoch = 1, !.anchorTag = Beats(s),
                            !.seen = [tag |-> Beats(s),
                                      row |-> [incarnation |-> <<1, 1>>, epoch |-> 1, seq |-> Beats(s)]],
                            !.proofs = {[tag |-> Beats(s), at |-> Begin * Rate[s]]},
                            !.nextTick = Begin * Rate[s] + Interval, !.leaseUntil = Begin * Rate[s] + Term]

\* It asked after the members with requests 1 and 2, then for rows: all of them, or one half after the other. First
\* wrote the row down with one request more.
WarmServer(s) ==
  [FreshServer EXCEPT !.nextPoll = Polled(s) * Rate[s] + Poll,
                      !.tag = (IF ListsAll THEN 3 ELSE 4) + (IF s = First THEN 1 ELSE 0),
                      !.locked = IF Membership = "Frozen" THEN 1 ELSE 0]

\* First was told that Second joined, when they are apart.
WarmView(s) ==
  LET told == Apart /\ s = First /\ Warm = Server
  IN [FreshView EXCEPT !.members = IF s \in Lags THEN {First} ELSE Warm,
                       !.version = IF s \in Lags THEN 1 ELSE Cardinality(Warm),
                       !.changedAt = IF told THEN Polled(s) * Rate[s] ELSE Started(s) * Rate[s],
                       !.renamed = told,
                       !.asked = IF s \in Lags THEN [tag |-> 2, since |-> Rate[s]] ELSE Nobody]

Joined(s) == [joined |-> TRUE, server |-> s]
Left(s) == [joined |-> FALSE, server |-> s]

Init ==
  /\ now = Begin
  /\ status = [s \in Server |-> IF s \in Warm THEN "up" ELSE "off"]
  /\ candidate = [s \in Server |-> IF s \in Warm THEN WarmCandidate(s) ELSE FreshCandidate(0)]
  /\ server = [s \in Server |-> IF s \in Warm THEN WarmServer(s) ELSE FreshServer]
  /\ view = [s \in Server |-> IF s \in Warm THEN WarmView(s) ELSE FreshView]
  /\ work = [s \in Server |-> Nobody]
  /\ table = [s \in Server |->
       IF s \in Warm
       THEN [incarnation |-> <<1, 1>>, epoch |-> 1, seq |-> Beats(s), acceptedAt |-> Begin * StoreRate,
             answeredEmpty |-> FALSE]
       ELSE Nobody]
  /\ members = [servers |-> Warm,
                changes |-> IF Warm = Server THEN <<Joined(First), Joined(Second)>> ELSE <<Joined(First)>>]
  /\ row = [home |-> First, owner |-> Nobody, epoch |-> 0, version |-> 1, phase |-> "Pending", abandoned |-> FALSE,
            orphan |-> FALSE]
  /\ cluster = [state |-> "Never", starts |-> 0, live |-> 0, epoch |-> 0]
  /\ messages = {[from |-> s, to |-> Store, until |-> 1 + Delay, body |-> [kind |-> "Follow", tag |-> 2, since |-> 1]] :
                   s \in Lags}
  /\ held = {}
  /\ used = [crashes |-> 0, pauses |-> 0, losses |-> 0]
  /\ granted = [s \in Server |-> 0]
  /\ called = {}
  /\ stale = FALSE
  /\ wrongs = {}

-----------------------------------------------------------------------------
(* Clocks and messages.                                                    *)

\* What the clock of a server shows.
Clock(s) == now * Rate[s]

\* What the clock of the store shows.
StoreClock == now * StoreRate

\* Letters are what a machine sends in a step, [to, body]; in flight they bear their sender and their last quantum.
Post(from, letters) == {[from |-> from, to |-> l.to, until |-> now + Delay, body |-> l.body] : l \in letters}

To(place, body) == [to |-> place, body |-> body]

\* Message m was received, and letters are the answer.
Received(m, letters) == messages' = (messages \ {m}) \cup Post(m.to, letters)

\* Message m of this kind can be received at a place that is up.
At(m, place, kind) == m.to = place /\ m.body.kind = kind
AtServer(m, kind) == m.to \in Server /\ status[m.to] = "up" /\ m.body.kind = kind

-----------------------------------------------------------------------------
(* Candidates.                                                             *)

\* Who a candidate says it is.
Self(c) == <<c.start, c.life>>

\* It gives up, forgets, and tries again one interval later.
StartOver(c, t) ==
  [c EXCEPT !.life = c.life + 1, !.phase = "Standby", !.awaiting = "Nothing", !.seen = Nobody, !.epoch = 0,
            !.proofs = {}, !.nextTick = t + Interval, !.replyDue = Never, !.leaseUntil = Never]

\* The entry as it was last seen.
Token(c) == IF c.seen = Nobody THEN Nobody ELSE <<c.seen.row.epoch, c.seen.row.seq>>

\* A heartbeat that c has numbered and noted already; epoch 0 claims.
HeartbeatOf(c, epoch) ==
  [kind |-> "Heartbeat", incarnation |-> Self(c), seq |-> c.tag, epoch |-> epoch, token |-> Token(c)]

Noted(c, t) == [c EXCEPT !.tag = c.tag + 1, !.proofs = c.proofs \cup {[tag |-> c.tag + 1, at |-> t]}]

\* Terms end, answers stay away, then the tick comes: on_timer.
Timed(c, t) ==
  LET a == IF t >= c.leaseUntil THEN StartOver(c, t) ELSE c
      b == IF t >= a.replyDue
           THEN [a EXCEPT !.awaiting = "Nothing", !.replyDue = Never, !.nextTick = t + Interval]
           ELSE a
  IN IF t < b.nextTick
     THEN [candidate |-> b, letters |-> {}]
     ELSE IF b.phase = "Standby"
     THEN [candidate |-> [b EXCEPT !.tag = b.tag + 1, !.awaiting = "Query", !.replyDue = t + Interval,
                                   !.nextTick = Never],
           letters |-> {To(Store, [kind |-> "Query", incarnation |-> Self(b), tag |-> b.tag + 1])}]
     ELSE LET n == [Noted(b, t) EXCEPT !.nextTick = t + Interval]
          IN [candidate |-> n, letters |-> {To(Store, HeartbeatOf(n, n.epoch))}]

\* The entry is its own: the term runs from the sending of the heartbeat that was accepted.
Proven(c, t) ==
  LET proofs == {p \in c.proofs : p.tag = c.seen.row.seq /\ p.tag >= c.anchorTag /\ t < p.at + Term}
  IN IF proofs = {}
     THEN c
     ELSE LET p == CHOOSE p \in proofs : TRUE
              kept == [c EXCEPT !.anchorTag = p.tag, !.leaseUntil = p.at + Term,
                                !.proofs = {q \in c.proofs : q.tag >= p.tag}]
          IN IF c.phase = "Primary"
             THEN kept
             ELSE [kept EXCEPT !.phase = "Primary", !.epoch = c.seen.row.epoch, !.awaiting = "Nothing",
                               !.replyDue = Never, !.nextTick = p.at + Interval]

\* What an answer makes of a candidate: on_answer.
Answered(c, t, b) ==
  LET news == c.seen = Nobody \/ b.tag >= c.seen.tag
      awaited == c.awaiting # "Nothing" /\ b.tag = c.tag
      told == IF news THEN [c EXCEPT !.seen = [tag |-> b.tag, row |-> b.row]] ELSE c
      calm == IF awaited
              THEN [told EXCEPT !.awaiting = "Nothing", !.replyDue = Never, !.nextTick = t + Interval]
              ELSE told
      judged == IF ~news
                THEN calm
                ELSE IF b.row.incarnation = Self(c)
                THEN Proven(calm, t)
                ELSE IF c.phase = "Primary" THEN StartOver(calm, t) ELSE calm
      vacant == judged.seen # Nobody /\ judged.seen.row.incarnation = Nobody
      claims == awaited /\ c.awaiting = "Query" /\ judged.phase = "Standby" /\ vacant
  IN IF b.tag > c.tag
     THEN [candidate |-> c, letters |-> {}]
     ELSE IF claims
     THEN LET n == [Noted(judged, t) EXCEPT !.awaiting = "Claim", !.replyDue = t + Interval, !.nextTick = Never]
          IN [candidate |-> n, letters |-> {To(Store, HeartbeatOf(n, 0))}]
     ELSE [candidate |-> judged, letters |-> {}]

-----------------------------------------------------------------------------
(* Servers.  A mind is all that a server remembers, with what it asked for *)
(* in this step: letters, and calls that it holds until they leave.        *)

Mind(s) == [candidate |-> candidate[s], server |-> server[s], view |-> view[s], work |-> work[s], letters |-> {},
            calls |-> {}, lists |-> FALSE]

\* The session in which it acts: me.
TermOf(x) == IF Membership = "Frozen" THEN x.server.locked ELSE x.candidate.epoch

\* It believes that it is a member.
Holds(x, t) ==
  IF Membership = "Frozen"
  THEN x.server.locked # 0
  ELSE x.candidate.phase = "Primary" /\ t < x.candidate.leaseUntil

\* It sends one letter more, under a number of its own.
Numbered(x) == [x EXCEPT !.server.tag = x.server.tag + 1]
Asks(x, place, body) == [x EXCEPT !.letters = x.letters \cup {To(place, body)}]

\* A new life forgets the row; a new session is noted: elect.
Elected(x, step) ==
  [x EXCEPT !.candidate = step.candidate,
            !.letters = x.letters \cup step.letters,
            !.work = IF step.candidate.life # x.candidate.life /\ Membership = "Versioned" THEN Nobody ELSE x.work,
            !.server.locked = IF Membership = "Versioned" \/ x.candidate.phase = step.candidate.phase
                              THEN x.server.locked
                              ELSE IF step.candidate.phase = "Primary" THEN step.candidate.epoch ELSE x.server.locked]

\* Whose the row is, and whether it is the server's own.
HomeOf(x) ==
  IF x.view.members = Server
  THEN Home
  ELSE IF First \in x.view.members THEN First ELSE IF Second \in x.view.members THEN Second ELSE Nobody

IsOwn(s, x) == HomeOf(x) = s /\ (Identity = "PathThenName" => ~x.view.renamed)

\* It asks after the members, unless an answer is waited for: follow.
AsksMembers(x, t) ==
  LET n == Numbered(x)
      waits == x.view.asked # Nobody /\ t - x.view.asked.since < Patience
      frozen == x.view.frozen \/ (x.view.asked # Nobody /\ Membership = "Frozen")
  IN IF waits
     THEN n
     ELSE IF frozen
     THEN [n EXCEPT !.view.frozen = TRUE]
     ELSE Asks([n EXCEPT !.view.asked = [tag |-> n.server.tag, since |-> t]],
               Store, [kind |-> "Follow", tag |-> n.server.tag, since |-> x.view.version])

\* The rows that it asks for next. Of two halves the first one comes first.
ScopeOf(v) ==
  IF v.listing # Nobody
  THEN v.listing.scope
  ELSE IF ListsAll THEN "All" ELSE IF v.parts = 2 THEN "Half1" ELSE IF v.parts = 1 THEN "Half2" ELSE "Home"

\* It asks for rows, unless an answer is waited for: list.
Lists(x, t) ==
  LET v == x.server
      takes == v.listing = Nobody /\ ~ListsAll /\ v.parts > 0
  IN IF x.view.version = 0 \/ (v.listing # Nobody /\ t - v.listing.since < Patience)
     THEN x
     ELSE Asks([x EXCEPT !.server.tag = v.tag + 1,
                         !.server.parts = IF takes THEN v.parts - 1 ELSE v.parts,
                         !.server.listing = [tag |-> v.tag + 1, scope |-> ScopeOf(v), since |-> t]],
               Store, [kind |-> "List", tag |-> v.tag + 1, scope |-> ScopeOf(v)])

\* What is to be done next about the row, after it was started: Work::start, Work::follow.
StepAfter(w) ==
  IF w.state = "Refused"
  THEN "Forget"
  ELSE IF w.row.phase = "Running" \/ (w.state = "Unknown" /\ ~w.intended)
  THEN "Ask"
  ELSE IF w.state = "Running" THEN "Run" ELSE "Start"

\* It works on the row as its executor, as far as it knows.
IsOwned(s, x, w) ==
  Claiming = "None" \/ (w.confirmed /\ w.row.owner = [server |-> s, term |-> TermOf(x)])

\* It hands the row over.
Moves(s, x, w, t) ==
  /\ HomeOf(x) # Nobody
  /\ \/ w.releasing
     \/ /\ Claiming = "CompareAndSet"
        /\ Handover = "ReleaseFirst"
        /\ ~IsOwn(s, x)
        /\ t - x.view.changedAt >= Calm

\* What is to be done next about the row: Work::next.
StepOf(s, x, w, t) ==
  IF ~IsOwned(s, x, w)
  THEN IF IsOwn(s, x)
       THEN "Claim"
       ELSE IF HomeOf(x) \notin {Nobody, s} /\ (w.orphan \/ w.row.home = s) THEN "Forward" ELSE "Forget"
  ELSE IF Claiming = "None" /\ ~IsOwn(s, x) /\ ~w.executed
  THEN "Forget"
  ELSE IF Moves(s, x, w, t)
  THEN "Release"
  ELSE IF Progress = "DeleteAfterRun"
  THEN (IF w.executed THEN "Delete" ELSE "Start")
  ELSE IF w.row.phase = "Pending" THEN "Intend" ELSE StepAfter(w)

\* An operation on the row. A claim asks for no epoch; who is to take the row is told where that changes.
OperationOf(x, w, step) ==
  [kind |-> "Operation", tag |-> x.server.tag, term |-> TermOf(x), members |-> x.view.version, what |-> step,
   epoch |-> IF step = "Claim" THEN 0 ELSE w.row.epoch, version |-> w.row.version,
   home |-> IF step \in {"Release", "Forward"} THEN HomeOf(x) ELSE Nobody]

RequestOf(x, w, verb) == [kind |-> "Request", tag |-> x.server.tag, epoch |-> w.row.epoch, verb |-> verb]

\* What it waits for.
Awaits(x, w, until) == [w EXCEPT !.asked = [tag |-> x.server.tag, until |-> until]]

\* It does what is to be done next, x being numbered already.
Does(x, w, step, t) ==
  IF step = "Forget"
  THEN [x EXCEPT !.work = Nobody]
  ELSE IF step = "Ask"
  THEN Asks([x EXCEPT !.work = Awaits(x, w, t + Patience)], Cluster, RequestOf(x, w, "Ask"))
  ELSE IF step = "Start"
  THEN [x EXCEPT !.work = Awaits(x, w, t + Patience + Takes),
                 !.calls = {RequestOf(x, w, "Start")}]
  ELSE Asks([x EXCEPT !.work = [Awaits(x, w, t + Patience) EXCEPT !.releasing = w.releasing \/ step = "Release"]],
            Store, OperationOf(x, w, step))

\* It no longer waits. Where rows are deleted after the call, no answer is good enough.
Idle(w) ==
  [w EXCEPT !.asked = Nobody, !.executed = w.executed \/ (w.asked # Nobody /\ Progress = "DeleteAfterRun")]

\* It takes a newer state of the row in. What was known of the instance holds for that instance, in that epoch: see.
Sees(w, shown) ==
  LET same == shown.epoch = w.row.epoch
      known == same /\ (shown.phase = "Pending" <=> w.row.phase = "Pending")
  IN [w EXCEPT !.row = shown, !.orphan = FALSE,
               !.state = IF known THEN w.state ELSE "Unknown",
               !.intended = known /\ w.intended,
               !.releasing = same /\ w.releasing,
               !.confirmed = same /\ w.confirmed]

\* Work on a row of which nothing else is known.
NewWork(shown) ==
  [row |-> shown, confirmed |-> FALSE, state |-> "Unknown", intended |-> FALSE, executed |-> FALSE, orphan |-> FALSE,
   releasing |-> FALSE, asked |-> Nobody, due |-> 0]

\* It looks at a row that the store told of: consider.
Considers(x, shown) ==
  LET known == IF x.work = Nobody THEN NewWork(shown) ELSE x.work
      w == IF shown.version > known.row.version THEN Sees(known, shown) ELSE known
      orphan == x.server.listing.scope \in {"Half1", "Half2"} /\ shown.version = w.row.version
  IN [w EXCEPT !.orphan = w.orphan \/ orphan]

\* It was told of rows, and goes on with the list after it did what is to be done: on_rows.
Told(x, t, b) ==
  IF x.server.listing = Nobody \/ ~Holds(x, t)
  THEN x
  ELSE IF x.server.listing.tag # b.tag
  THEN x
  ELSE [x EXCEPT !.lists = TRUE, !.work = IF b.row = Nobody THEN x.work ELSE Considers(x, b.row)]

\* It waits for the answer with this number.
IsAwaited(x, tag) == IF x.work = Nobody THEN FALSE ELSE IF x.work.asked = Nobody THEN FALSE ELSE x.work.asked.tag = tag

\* What an outcome makes of the work.
Learnt(w, t, b) ==
  LET done == b.result = "Done"
      intends == done /\ b.row.phase = "Starting" /\ w.row.phase # "Starting"
      seen == Sees(w, b.row)
  IN [seen EXCEPT !.asked = Nobody, !.confirmed = TRUE, !.intended = seen.intended \/ intends,
                  !.due = IF done THEN t ELSE t + Poll]

\* What the cluster says of the work.
Heard(w, t, b) ==
  [w EXCEPT !.asked = Nobody, !.executed = TRUE,
            !.state = IF w.row.phase # "Pending" /\ w.row.epoch = b.epoch THEN b.state ELSE w.state,
            !.due = IF w.row.phase = "Running" THEN t + Watch ELSE t]

\* Whether a server is a member after changes, one after the other.
IsIn(s, former, changes) ==
  \/ s \in former /\ \A i \in 1..Len(changes) : changes[i].server # s
  \/ \E i \in 1..Len(changes) :
       changes[i] = Joined(s) /\ \A j \in (i + 1)..Len(changes) : changes[j].server # s

\* There may be rows that nobody is to take: somebody left, or it came back itself.
MayOrphan(s, changes) == \E i \in 1..Len(changes) : changes[i] = Joined(s) \/ ~changes[i].joined

\* It is told of the members: on_news. An answer to an earlier process may bear the number of a question of this one,
\* but only what was asked fits.
Informed(s, x, t, b) ==
  LET v == [x.view EXCEPT !.asked = Nobody]
      fresh == b.version # v.version
      all == [v EXCEPT !.members = b.members, !.version = b.version, !.changedAt = t,
                       !.renamed = v.renamed \/ v.version # 0]
      some == [v EXCEPT !.members = {m \in Server : IsIn(m, v.members, b.changes)}, !.version = b.version,
                        !.changedAt = IF fresh THEN t ELSE v.changedAt, !.renamed = v.renamed \/ b.changes # <<>>]
      orphans == IF b.all THEN fresh ELSE MayOrphan(s, b.changes)
  IN IF x.view.asked = Nobody
     THEN x
     ELSE IF x.view.asked.tag # b.tag \/ x.view.version # b.since
     THEN x
     ELSE [x EXCEPT !.view = IF ~b.all THEN some ELSE IF fresh THEN all ELSE v,
                    !.server.parts = IF orphans /\ ~ListsAll THEN 2 ELSE x.server.parts]

\* Calls are held by who decided on them.
HeldBy(s, x) == {[from |-> s, at |-> now + ((Takes + Quantum - 1) \div Quantum), body |-> c] : c \in x.calls}

\* Server s thinks x from now on, m being the message that it received, if any.
Thinks(s, x, received) ==
  /\ candidate' = [candidate EXCEPT ![s] = x.candidate]
  /\ server' = [server EXCEPT ![s] = x.server]
  /\ view' = [view EXCEPT ![s] = x.view]
  /\ work' = [work EXCEPT ![s] = x.work]
  /\ messages' = (messages \ received) \cup Post(s, x.letters)
  /\ held' = held \cup HeldBy(s, x)
  /\ called' = IF x.calls = {} THEN called ELSE called \cup {s}
  /\ UNCHANGED <<now, status, stores, cluster, used, granted, stale, wrongs>>

ServerDue(s) ==
  \E t \in {candidate[s].nextTick, candidate[s].replyDue, candidate[s].leaseUntil, server[s].nextPoll} : t <= Clock(s)

\* Nothing is to be done about the row, or something is waited for.
Idles(x, t) ==
  IF x.work = Nobody
  THEN TRUE
  ELSE (IF x.work.asked = Nobody THEN FALSE ELSE t < x.work.asked.until) \/ t < x.work.due \/ ~Holds(x, t)

\* After rows it asks for more, if a half is left.
Ended(x, t) ==
  IF ~x.lists
  THEN x
  ELSE IF x.server.parts = 0
  THEN [x EXCEPT !.server.listing = Nobody]
  ELSE Lists([x EXCEPT !.server.listing = Nobody], t)

\* It does what is to be done next about the row: act.
Acts(s, x, t, received) ==
  IF Idles(x, t)
  THEN \E z \in {Ended(x, t)} : Thinks(s, z, received)
  ELSE \E w \in {Idle(x.work)} : \E n \in {Numbered(x)} : \E step \in {StepOf(s, x, w, t)} :
         \E y \in {Does(n, w, step, t)} : \E z \in {Ended(y, t)} : Thinks(s, z, received)

\* A timer of a server passed: elect, then on_timer.
Fire(s) ==
  /\ status[s] \in {"up", "late"}
  /\ ServerDue(s)
  /\ \E t \in {Clock(s)} : \E step \in {Timed(candidate[s], t)} : \E x \in {Elected(Mind(s), step)} :
       IF t < x.server.nextPoll
       THEN Thinks(s, x, {})
       ELSE \E f \in {AsksMembers([x EXCEPT !.server.nextPoll = t + Poll], t)} :
              IF Holds(f, t) THEN \E y \in {Lists(f, t)} : Acts(s, y, t, {}) ELSE Thinks(s, f, {})

\* A server hears from the heartbeat table.
DeliverAnswer(m) ==
  /\ AtServer(m, "Answer")
  /\ \E step \in {Answered(candidate[m.to], Clock(m.to), m.body)} :
       \E x \in {Elected(Mind(m.to), step)} : Thinks(m.to, x, {m})

\* A server is told of the members.
DeliverMembers(m) ==
  /\ AtServer(m, "Members")
  /\ \E x \in {Informed(m.to, Mind(m.to), Clock(m.to), m.body)} : Thinks(m.to, x, {m})

\* A server is told of rows.
DeliverRows(m) ==
  /\ AtServer(m, "Rows")
  /\ \E mind \in {Mind(m.to)} : \E t \in {Clock(m.to)} : \E x \in {Told(mind, t, m.body)} :
       IF x.lists /\ m.body.row # Nobody
       THEN Acts(m.to, x, t, {m})
       ELSE \E z \in {Ended(x, t)} : Thinks(m.to, z, {m})

\* A server learns what came of an operation: on_outcome.
DeliverOutcome(m) ==
  /\ AtServer(m, "Outcome")
  /\ \E x \in {Mind(m.to)} : \E t \in {Clock(m.to)} :
       IF m.body.term # TermOf(x) \/ ~IsAwaited(x, m.body.tag)
       THEN Thinks(m.to, x, {m})
       ELSE IF m.body.row = Nobody \/ m.body.result \in {"NoSession", "Missing"}
       THEN Thinks(m.to, [x EXCEPT !.work = Nobody], {m})
       ELSE \E w \in {Learnt(x.work, t, m.body)} : \E y \in {[x EXCEPT !.work = w]} : Acts(m.to, y, t, {m})

\* A server hears from the cluster: on_said.
DeliverSaid(m) ==
  /\ AtServer(m, "Said")
  /\ \E x \in {Mind(m.to)} : \E t \in {Clock(m.to)} :
       IF IsAwaited(x, m.body.tag)
       THEN \E w \in {Heard(x.work, t, m.body)} : \E y \in {[x EXCEPT !.work = w]} : Acts(m.to, y, t, {m})
       ELSE Thinks(m.to, x, {m})

\* A call leaves, whatever became of the session meanwhile.
Leave(h) ==
  /\ status[h.from] = "up"
  /\ h.at <= now
  /\ held' = held \ {h}
  /\ messages' = messages \cup Post(h.from, {To(Cluster, h.body)})
  /\ UNCHANGED <<now, status, minds, stores, cluster, used, ghosts>>

-----------------------------------------------------------------------------
(* Store: the heartbeat table.                                             *)

\* Whether an entry names its holder.
Valid(e) ==
  IF e = Nobody THEN FALSE ELSE ~e.answeredEmpty /\ StoreClock < e.acceptedAt + Timeout

\* An empty answer is for good.
Shown(e) == IF e = Nobody THEN Nobody ELSE [e EXCEPT !.answeredEmpty = ~Valid(e)]

AnswerOf(e, toHeartbeat, tag) ==
  [kind |-> "Answer", toHeartbeat |-> toHeartbeat, tag |-> tag,
   row |-> IF e = Nobody
           THEN [incarnation |-> Nobody, epoch |-> 0, seq |-> 0]
           ELSE [incarnation |-> IF Valid(e) THEN e.incarnation ELSE Nobody, epoch |-> e.epoch, seq |-> e.seq]]

DeliverQuery(m) ==
  /\ At(m, Store, "Query")
  /\ table' = [table EXCEPT ![m.from] = Shown(table[m.from])]
  /\ Received(m, {To(m.from, AnswerOf(table[m.from], FALSE, m.body.tag))})
  /\ UNCHANGED <<now, status, minds, members, row, cluster, held, used, ghosts>>

\* The holder is renewed, in its epoch.
Renews(e, b) ==
  IF e = Nobody
  THEN FALSE
  ELSE e.incarnation = b.incarnation /\ ~e.answeredEmpty /\ b.seq > e.seq /\ (b.epoch = 0 \/ b.epoch = e.epoch)

\* The seat is free, and the claim rests on what stands there.
Claims(e, b) ==
  /\ b.epoch = 0
  /\ ~Valid(e)
  /\ b.token = (IF e = Nobody THEN <<0, 0>> ELSE <<e.epoch, e.seq>>)

\* A heartbeat that is accepted, in this epoch.
Accepted(b, epoch) ==
  [incarnation |-> b.incarnation, epoch |-> epoch, seq |-> b.seq, acceptedAt |-> StoreClock, answeredEmpty |-> FALSE]

\* What a heartbeat makes of an entry.
Beaten(e, b) ==
  IF Renews(e, b)
  THEN Accepted(b, e.epoch)
  ELSE IF Claims(e, b) THEN Accepted(b, IF e = Nobody THEN 1 ELSE e.epoch + 1) ELSE Shown(e)

-----------------------------------------------------------------------------
(* Store: members and the row.                                             *)

\* The members after server s left, if it was one.
MembersWithout(m, s) ==
  IF s \in m.servers THEN [servers |-> m.servers \ {s}, changes |-> Append(m.changes, Left(s))] ELSE m

MembersWith(m, s) == [servers |-> m.servers \cup {s}, changes |-> Append(m.changes, Joined(s))]

Version(m) == Len(m.changes)

\* Somebody is needed for the row.
Needs(r) == r.owner = Nobody \/ r.abandoned

\* The row after member s left: what it owned, and what it was to take, is for whoever the ring names now.
RowWithout(r, s) ==
  IF r = Nobody
  THEN r
  ELSE IF r.owner # Nobody /\ (r.owner # Nobody => r.owner.server = s)
  THEN [r EXCEPT !.abandoned = TRUE, !.orphan = TRUE]
  ELSE IF Needs(r) /\ r.home = s THEN [r EXCEPT !.orphan = TRUE] ELSE r

\* A session was granted: whatever the server held before is over.
DeliverHeartbeat(m) ==
  /\ At(m, Store, "Heartbeat")
  /\ \E grants \in {~Renews(table[m.from], m.body) /\ Claims(table[m.from], m.body)} :
       /\ members' = IF grants THEN MembersWith(MembersWithout(members, m.from), m.from) ELSE members
       /\ row' = IF grants /\ m.from \in members.servers THEN RowWithout(row, m.from) ELSE row
  /\ \E e \in {Beaten(table[m.from], m.body)} :
       /\ table' = [table EXCEPT ![m.from] = e]
       /\ Received(m, {To(m.from, AnswerOf(e, TRUE, m.body.seq))})
  /\ UNCHANGED <<now, status, minds, cluster, held, used, ghosts>>

\* Members whose session is over; they leave in the transaction in which that is found.
Over == {s \in members.servers : ~Valid(table[s])}

Evicted(over) ==
  LET one == IF First \in over THEN MembersWithout(members, First) ELSE members
      r == IF First \in over THEN RowWithout(row, First) ELSE row
  IN [table |-> [s \in Server |-> IF s \in over THEN Shown(table[s]) ELSE table[s]],
      members |-> IF Second \in over THEN MembersWithout(one, Second) ELSE one,
      row |-> IF Second \in over THEN RowWithout(r, Second) ELSE r]

\* What changed since a version; all members, if it is 0.
NewsOf(m, b) ==
  [kind |-> "Members", tag |-> b.tag, since |-> b.since, version |-> Version(m), all |-> b.since = 0,
   members |-> IF b.since = 0 THEN m.servers ELSE {},
   changes |-> IF b.since = 0 THEN <<>> ELSE SubSeq(m.changes, b.since + 1, Len(m.changes))]

DeliverFollow(m) ==
  /\ At(m, Store, "Follow")
  /\ \E e \in {Evicted(Over)} :
       /\ table' = e.table
       /\ members' = e.members
       /\ row' = e.row
       /\ Received(m, {To(m.from, NewsOf(e.members, m.body))})
  /\ UNCHANGED <<now, status, minds, cluster, held, used, ghosts>>

\* As answers show it.
RowView(r) ==
  IF r = Nobody
  THEN Nobody
  ELSE [home |-> r.home, owner |-> r.owner, epoch |-> r.epoch, version |-> r.version, phase |-> r.phase]

\* The row is among those that server s asks for: Jobs::list.
IsListed(s, scope) ==
  IF row = Nobody
  THEN FALSE
  ELSE IF scope = "All"
  THEN TRUE
  ELSE IF scope = "Home"
  THEN Needs(row) /\ ~row.orphan /\ row.home = s
  ELSE Needs(row) /\ row.orphan /\ scope = (IF HalfOf[s] = 1 THEN "Half1" ELSE "Half2")

DeliverList(m) ==
  /\ At(m, Store, "List")
  /\ Received(m, {To(m.from, [kind |-> "Rows", tag |-> m.body.tag,
                             row |-> IF IsListed(m.from, m.body.scope) THEN RowView(row) ELSE Nobody])})
  /\ UNCHANGED <<now, status, minds, stores, cluster, held, used, ghosts>>

\* A session runs.
Runs(o, t) == IF t[o.server] = Nobody THEN FALSE ELSE t[o.server].epoch = o.term /\ Valid(t[o.server])

\* A session is over for good.
IsOver(o, t) ==
  IF t[o.server] = Nobody THEN FALSE ELSE t[o.server].epoch > o.term \/ (t[o.server].epoch = o.term /\ ~Runs(o, t))

\* What comes of a claim: Jobs::claim.
ClaimResult(by, b, old, r, t) ==
  IF r = Nobody
  THEN "Missing"
  ELSE IF r.owner = by
  THEN "Done"
  ELSE IF ~Runs(by, t)
  THEN "NoSession"
  ELSE IF old
  THEN "OldMembers"
  ELSE IF r.version # b.version
  THEN "Changed"
  ELSE IF Handover = "AtOnce" \/ r.owner = Nobody
  THEN "Done"
  ELSE IF IsOver(r.owner, t) THEN "Done" ELSE "Owned"

\* The asker may change the row.
MayChange(by, b, r) ==
  \/ Claiming = "None"
  \/ IF b.what = "Forward" THEN Needs(r) ELSE r.owner = by /\ r.epoch = b.epoch

\* The change follows from where the row stands.
IsLegal(b, r) ==
  \/ b.what = "Intend" /\ r.phase = "Pending"
  \/ b.what = "Run" /\ r.phase = "Starting"
  \/ b.what \in {"Release", "Forward"}
  \/ b.what = "Delete" /\ Progress = "DeleteAfterRun"

\* What comes of a change: Jobs::change.
ChangeResult(by, b, old, r) ==
  IF r = Nobody
  THEN "Missing"
  ELSE IF ~MayChange(by, b, r) \/ r.version # b.version \/ ~IsLegal(b, r)
  THEN "Changed"
  ELSE IF old /\ b.what \in {"Release", "Forward"} THEN "OldMembers" ELSE "Done"

\* The row after an operation that is carried out.
Operated(by, b, r) ==
  IF b.what = "Claim"
  THEN [r EXCEPT !.owner = by, !.home = by.server, !.epoch = r.epoch + 1, !.version = r.version + 1,
                 !.abandoned = FALSE, !.orphan = FALSE]
  ELSE IF b.what = "Intend"
  THEN [r EXCEPT !.phase = "Starting", !.version = r.version + 1]
  ELSE IF b.what = "Run"
  THEN [r EXCEPT !.phase = "Running", !.version = r.version + 1]
  ELSE IF b.what = "Release"
  THEN [r EXCEPT !.owner = Nobody, !.home = b.home, !.version = r.version + 1]
  ELSE IF b.what = "Forward"
  THEN [r EXCEPT !.home = b.home, !.orphan = FALSE, !.version = r.version + 1]
  ELSE Nobody

OutcomeOf(b, result, r) ==
  [kind |-> "Outcome", tag |-> b.tag, term |-> b.term, result |-> result, row |-> RowView(r)]

\* A claim by who owns the row already is answered, and changes nothing.
IsClaim(by, b, result, r) ==
  IF b.what # "Claim" \/ result # "Done" THEN FALSE ELSE r.owner # by

Carried(m, by, e, result) ==
  /\ \E claims \in {IsClaim(by, m.body, result, e.row)} :
       \E r \in {IF result = "Done" /\ (m.body.what = "Claim" => claims) THEN Operated(by, m.body, e.row) ELSE e.row} :
         /\ row' = r
         /\ granted' = IF claims THEN [granted EXCEPT ![m.from] = r.epoch] ELSE granted
         /\ called' = IF claims THEN called \ {m.from} ELSE called
         /\ wrongs' = IF claims /\ (IF e.row.owner = Nobody THEN FALSE ELSE ~IsOver(e.row.owner, e.table))
                      THEN wrongs \cup {"haste"}
                      ELSE wrongs
         /\ Received(m, {To(m.from, OutcomeOf(m.body, result, r))})
  /\ table' = e.table
  /\ members' = e.members

DeliverOperation(m) ==
  /\ At(m, Store, "Operation")
  /\ \E e \in {Evicted(Over)} :
       \E old \in {Membership = "Versioned" /\ m.body.members # Version(e.members)} :
         \E by \in {[server |-> m.from, term |-> m.body.term]} :
           \E result \in {IF m.body.what = "Claim"
                          THEN ClaimResult(by, m.body, old, e.row, e.table)
                          ELSE ChangeResult(by, m.body, old, e.row)} :
             Carried(m, by, e, result)
  /\ UNCHANGED <<now, status, minds, cluster, held, used, stale>>

-----------------------------------------------------------------------------
(* Cluster.                                                                *)

Refuses(b) == Fencing = "Epoch" /\ b.epoch < cluster.epoch

\* A name starts once; where calls bear no name that could be known again, each starts one more.
Served(b) ==
  LET starts == b.verb = "Start" /\ (cluster.state = "Never" \/ Progress = "DeleteAfterRun")
      seen == IF b.epoch > cluster.epoch THEN b.epoch ELSE cluster.epoch
  IN IF Refuses(b)
     THEN cluster
     ELSE IF starts
     THEN [state |-> "Running", starts |-> cluster.starts + 1, live |-> cluster.live + 1, epoch |-> seen]
     ELSE [cluster EXCEPT !.epoch = seen]

DeliverRequest(m) ==
  /\ At(m, Cluster, "Request")
  /\ \E k \in {Served(m.body)} :
       /\ cluster' = k
       /\ stale' = (stale \/ (m.body.epoch < cluster.epoch /\ k.starts # cluster.starts))
       /\ Received(m, {To(m.from, [kind |-> "Said", tag |-> m.body.tag, epoch |-> m.body.epoch,
                                  state |-> IF Refuses(m.body) THEN "Refused" ELSE k.state])})
  /\ UNCHANGED <<now, status, minds, stores, held, used, granted, called, wrongs>>

-----------------------------------------------------------------------------
(* Environment.                                                            *)

\* Nobody could have received m.
Unreachable(m) == m.to \in Server /\ status[m.to] # "up"

\* How many messages are lost, if time passes now, that somebody could have received.
Lost == Cardinality({m \in messages : m.until = now /\ ~Unreachable(m)})

\* A quantum passes, when every timer that is due has had its turn. Messages that are late now are lost.
Tick ==
  /\ now < Horizon
  /\ \A s \in Server : status[s] # "late" /\ (status[s] = "up" => ~ServerDue(s))
  /\ \A h \in held : status[h.from] = "up" => h.at > now
  /\ used.losses + Lost <= Losses
  /\ used' = IF Losses = Unbounded THEN used ELSE [used EXCEPT !.losses = used.losses + Lost]
  /\ messages' = {m \in messages : m.until # now}
  /\ now' = now + 1
  /\ UNCHANGED <<status, minds, stores, cluster, held, ghosts>>

\* A process ends; what is on the way to it, and what it holds, is gone.
Crash(s) ==
  /\ s \in Frail /\ status[s] \in {"up", "paused", "late"}
  /\ used.crashes < Crashes
  /\ used' = [used EXCEPT !.crashes = used.crashes + 1]
  /\ status' = [status EXCEPT ![s] = "down"]
  /\ candidate' = [candidate EXCEPT ![s] = FreshCandidate(candidate[s].start)]
  /\ server' = [server EXCEPT ![s] = FreshServer]
  /\ view' = [view EXCEPT ![s] = FreshView]
  /\ work' = [work EXCEPT ![s] = Nobody]
  /\ messages' = {m \in messages : m.to # s}
  /\ held' = {h \in held : h.from # s}
  /\ UNCHANGED <<now, stores, cluster, ghosts>>

\* A new process.
Start(s) ==
  /\ status[s] \in {"off", "down"}
  /\ status' = [status EXCEPT ![s] = "up"]
  /\ candidate' = [candidate EXCEPT ![s] = FreshCandidate(candidate[s].start + 1)]
  /\ UNCHANGED <<now, server, view, work, stores, cluster, messages, held, used, ghosts>>

Pause(s) ==
  /\ s \in Frail /\ status[s] = "up"
  /\ used.pauses < Pauses
  /\ used' = [used EXCEPT !.pauses = used.pauses + 1]
  /\ status' = [status EXCEPT ![s] = "paused"]
  /\ UNCHANGED <<now, minds, stores, cluster, messages, held, ghosts>>

\* The timers that passed come first.
Resume(s) ==
  /\ status[s] = "paused"
  /\ status' = [status EXCEPT ![s] = "late"]
  /\ UNCHANGED <<now, minds, stores, cluster, messages, held, used, ghosts>>

Settle(s) ==
  /\ status[s] = "late"
  /\ ~ServerDue(s)
  /\ status' = [status EXCEPT ![s] = "up"]
  /\ UNCHANGED <<now, minds, stores, cluster, messages, held, used, ghosts>>

-----------------------------------------------------------------------------

ToServer(m) ==
  DeliverAnswer(m) \/ DeliverMembers(m) \/ DeliverRows(m) \/ DeliverOutcome(m) \/ DeliverSaid(m)

ToStore(m) == DeliverQuery(m) \/ DeliverHeartbeat(m) \/ DeliverFollow(m) \/ DeliverList(m) \/ DeliverOperation(m)

Deliver(m) == ToServer(m) \/ ToStore(m) \/ DeliverRequest(m)

Faults(s) == Crash(s) \/ Start(s) \/ Pause(s) \/ Resume(s) \/ Settle(s)

\* Time ends by design; whatever else stands still does not.
Rest ==
  /\ now = Horizon
  /\ UNCHANGED vars

Servers == \E s \in Server : Fire(s) \/ Faults(s)

Messages == \E m \in messages : Deliver(m)

Calls == \E h \in held : Leave(h)

Next == Tick \/ Rest \/ Servers \/ Messages \/ Calls

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* The words of the contract.                                              *)

OwnerOf == IF row = Nobody THEN Nobody ELSE IF row.owner = Nobody THEN Nobody ELSE row.owner.server

RowOf ==
  IF row = Nobody
  THEN "over"
  ELSE IF row.phase = "Starting"
  THEN "starting"
  ELSE IF row.phase = "Running" THEN "running" ELSE IF row.owner = Nobody THEN "pending" ELSE "claimed"

Expired == IF OwnerOf = Nobody THEN FALSE ELSE ~Runs(row.owner, table)

TokenOf(s) ==
  IF granted[s] = 0 \/ row = Nobody
  THEN "none"
  ELSE IF granted[s] = row.epoch THEN "current" ELSE IF granted[s] < cluster.epoch THEN "fenced" ELSE "old"

-----------------------------------------------------------------------------
(* Safety.                                                                 *)

\* The instance is started once, for ever.
StartedOnce == cluster.starts <= 1

\* At most one instance of the job runs.
AtMostOneLiveInstance == cluster.live <= 1

\* Whoever called the cluster in the row's epoch, or in none at all.
Executors == {s \in called : TokenOf(s) \in {"none", "current"}}

\* In an epoch of the row, one server alone calls the cluster: the one that the row names.
AtMostOneExecutorPerEpoch ==
  row # Nobody => Cardinality(Executors) <= 1 /\ (OwnerOf # Nobody => Executors \subseteq {OwnerOf})

\* No effect of an older epoch follows after the cluster saw a newer one.
NoStaleEffect == ~stale

\* The row tells of whatever was sent, and what it calls running was started.
NoLostJob ==
  /\ called # {} => RowOf \in {"starting", "running"} \/ (RowOf = "over" /\ cluster.starts > 0)
  /\ RowOf = "running" => cluster.starts > 0

\* A row is claimed only when nobody owns it, or its owner's session is over.
ClaimWaitsForOwner == "haste" \notin wrongs

\* Servers that know the same version know the same members.
OwnerIsFunctionOfMembers == view[First].version = view[Second].version => view[First].members = view[Second].members

-----------------------------------------------------------------------------
(* What must be reached, told as properties that fail.                     *)

\* Second owns what First owned, and sees that it runs.
NobodyTakesOver == ~(granted[First] > 0 /\ OwnerOf = Second /\ RowOf = "running")

\* First hands over what runs, and Second sees that it runs.
NobodyHandsOver == ~(OwnerOf = Second /\ RowOf = "running" /\ granted[First] > 0 /\ Valid(table[First]))

-----------------------------------------------------------------------------
(* Refinement.                                                             *)

C == INSTANCE Job WITH
  Server <- Server,
  Waits <- TRUE,
  Raises <- TRUE,
  Owns <- TRUE,
  Fetches <- TRUE,
  Persists <- TRUE,
  Named <- TRUE,
  Fences <- TRUE,
  Looks <- TRUE,
  Ends <- TRUE,
  Asked <- TRUE,
  Follows <- TRUE,
  owner <- OwnerOf,
  row <- RowOf,
  expired <- Expired,
  token <- [s \in Server |-> TokenOf(s)],
  flight <- [s \in Server |-> IF s \in called THEN "start" ELSE "none"],
  ready <- IF RowOf = "claimed" THEN {OwnerOf} ELSE {},
  cancel <- FALSE,
  doubted <- {s \in Server : status[s] \in {"paused", "late"}},
  used <- cluster.starts > 0,
  starts <- cluster.starts,
  live <- cluster.live,
  stale <- stale,
  wrongs <- wrongs

JobSpec == C!Spec

=============================================================================
