---------------------------- MODULE TimedLease -----------------------------
(***************************************************************************)
(* The election over a heartbeat table, in time: what the table, the       *)
(* resource and the candidates know, what is on its way between them,      *)
(* clocks with rates, crashes, pauses and a store that forgets.  Every     *)
(* decision that separates the published election from the hardened one is *)
(* a constant.                                                             *)
(*                                                                         *)
(* One action is one input of one machine.  True time counts quanta; a     *)
(* clock of place p shows now * Rate(p) microseconds, and place 0 is the   *)
(* store.  What a machine remembers is in microseconds on its own clock.   *)
(* A message may arrive at any time up to its last one, in any order, or   *)
(* never: that is loss.  Timers fire within a quantum, so Late covers one. *)
(*                                                                         *)
(* | here                  | in the machines                             | *)
(* | candidate[n]          | Candidate, field by field; Nobody: no process *)
(* | table                 | HeartbeatTable of one kind of leader        | *)
(* | resource              | Resource of one kind                        | *)
(* | messages              | Message; kind says who is sender and target,| *)
(* |                       | node is the candidate that is the other end | *)
(* | <<<<n, s>>, l>>       | Incarnation: start s of node n, its life l; | *)
(* |                       | <<<<n, 0>>, 1>> if it is reused             | *)
(* | 1000 g + c            | Epoch and version: generation g, counter c  | *)
(* | Nobody, Never         | None, and the latest Instant                | *)
(*                                                                         *)
(* Left out because they never differ within a model: host, digest, utype, *)
(* configurations, the term of an entry (Timeout, and that of a row that   *)
(* shows one), the time of acceptance on the steady clock (the stamp).     *)
(* Left out altogether: resignation, affinity, damaged answers, clocks     *)
(* that step, a store that goes back (Wipe forgets everything), and the    *)
(* minute check of the SQL table, which never bites in a few seconds.      *)
(* The ring of sixteen proofs is a set; Fits says that none is displaced.  *)
(*                                                                         *)
(* Refines Lease.tla, if hardened:                                         *)
(* | Actor    | the lives                                                | *)
(* | owner    | whose heartbeat the table accepted last, while its entry | *)
(* |          | stands                                                   | *)
(* | works    | lives that work, on nodes that are neither paused nor    | *)
(* |          | late                                                     | *)
(* | doubted  | nobody: the end of a life and of its doubt can be one    | *)
(* |          | step here, so one who is doubted is seen as one who does *)
(* |          | not work, and the end of doubt as a StepUp, which asks   | *)
(* |          | more than Trust does                                     | *)
(* | token    | the epoch that the life was granted, relative to the     | *)
(* |          | highest that the resource has seen                       | *)
(* | stained  | stained                                                  | *)
(* The properties are stated over Working and Doubted themselves.          *)
(*                                                                         *)
(* Source: the README of the HPC Pack HA module, and what its code does    *)
(* where the text is silent; Gray and Cheriton 1989.                       *)
(***************************************************************************)
EXTENDS Integers, FiniteSets

CONSTANTS
  Nobody,         \* no process, no entry, nobody named, no token
  Nodes,          \* how many candidates there are
  Quantum,        \* microseconds of one unit of true time
  Fast,           \* places whose clock shows Drift more than Quantum for each quantum
  Slow,           \* places whose clock shows Drift less
  Drift,          \* microseconds
  Horizon,        \* quanta until the end
  Delay,          \* quanta in which a message can arrive
  Crashes,        \* how many there are at most
  Pauses,         \* how many there are at most
  Wipes,          \* how often the store restarts empty at most
  Lives           \* how often a candidate starts over within a process, the first time counted

CONSTANTS
  Interval,       \* I: from one query or heartbeat to the next
  Timeout,        \* T, as the table is configured
  ClientTimeout,  \* T, as the candidates are configured
  Granularity,    \* the step of the store's clock
  Late,           \* how late a timer may fire
  StopTime,       \* how long a primary needs to stop its work
  WorkEvery,      \* from one operation to the next; 0: none
  WorkTakes       \* from the check of the term to the leaving of the operation

CONSTANTS
  Anchor,         \* E1: from what a term counts: "Read" or "Heartbeat"
  Fencing,        \* E2: whether the resource refuses older epochs: "None" or "Epoch"
  Recheck,        \* E3: when a primary acts on an answer that names another: "NextTick" or "OnReply"
  Age,            \* E4: how an entry's age is measured: "Wall" or "Steady", equal here, or "Observer"
  Identity,       \* E5: where an incarnation comes from: "Reused" or "Fresh"
  EmptyAnswer,    \* E6: what an empty answer means for an epoch: "Renewable" or "Final"
  Renewal,        \* E7: which heartbeats renew: "ExactEntry" or "Sequence"
  Grace,          \* E8: what a store grants after it forgot: "None" (whatever is asked for) or "LongestTerm"
  TermSource      \* E9: whose T a term comes from: "Local" or "Row"

ASSUME RulesAreKnown ==
  /\ Anchor \in {"Read", "Heartbeat"}
  /\ Fencing \in {"None", "Epoch"}
  /\ Recheck \in {"NextTick", "OnReply"}
  /\ Age \in {"Wall", "Steady", "Observer"}
  /\ Identity \in {"Reused", "Fresh"}
  /\ EmptyAnswer \in {"Renewable", "Final"}
  /\ Renewal \in {"ExactEntry", "Sequence"}
  /\ Grace \in {"None", "LongestTerm"}
  /\ TermSource \in {"Local", "Row"}

ASSUME TimeoutsAreLongEnough == Timeout > 2 * Interval /\ ClientTimeout > 2 * Interval
ASSUME TimersAreCovered == Late >= Quantum

-----------------------------------------------------------------------------

VARIABLES
  now,        \* true time, in quanta
  status,     \* of each node: off (never started), up, paused, late (resumed: due timers come first), down (crashed)
  starts,     \* how often each node was started
  candidate,  \* the machine of each node
  held,       \* operations of each node that have not left yet
  table,      \* the store
  resource,   \* what primaries write to
  messages,   \* in flight
  used,       \* how many faults there were
  granted,    \* ghost: pairs of a life and the newest epoch that it was granted
  stained     \* ghost: an older epoch was accepted after a newer one

vars == <<now, status, starts, candidate, held, table, resource, messages, used, granted, stained>>

Never == 1000000000

Node == 1..Nodes

Life == {<<<<n, s>>, l>> : n \in Node, s \in 1..(Crashes + 1), l \in 1..Lives}

\* Clocks.
Rate(p) == IF p \in Fast THEN Quantum + Drift ELSE IF p \in Slow THEN Quantum - Drift ELSE Quantum

Clock(p) == now * Rate(p)

Min(a, b) == IF a < b THEN a ELSE b

Max(a, b) == IF a < b THEN b ELSE a

\* The part by which a exceeds b.
Excess(a, b) == Max(a - b, 0)

\* What a fit candidate trusts of a timeout: (T - g) / (1 + rho) - delta - sigma, and one for rounding.
SafeTerm(timeout) ==
  Excess(((timeout - Granularity) * (Quantum - Drift)) \div (Quantum + Drift), Late + StopTime + 1)

ASSUME TermIsPositive == SafeTerm(Timeout) > 0 /\ SafeTerm(ClientTimeout) > 0

-----------------------------------------------------------------------------
(* A candidate: functions of its state c and its clock t.  A step is the   *)
(* new state, what is sent, and what is held.                              *)

NothingSeen ==
  [row |-> [incarnation |-> Nobody, epoch |-> 0, seq |-> 0, version |-> 0, stamp |-> 0],
   tag |-> 0, queriedAt |-> 0, known |-> FALSE]

Fresh(n, s) ==
  [start |-> <<n, s>>, life |-> 1, phase |-> "Standby", tag |-> 0, awaiting |-> "Nothing", awaitedTag |-> 0,
   seen |-> NothingSeen, unchangedSince |-> 0, epoch |-> 0, proofs |-> {}, anchorTag |-> 0,
   heartbeatUnanswered |-> FALSE, operations |-> 0, nextTick |-> 0, replyDue |-> Never, leaseUntil |-> Never,
   stopDue |-> Never, workDue |-> Never]

LifeOf(c) == <<c.start, c.life>>

Incarnation(c) == IF Identity = "Fresh" THEN LifeOf(c) ELSE <<<<c.start[1], 0>>, 1>>

TimeoutOf(c) == IF TermSource = "Row" /\ c.seen.row.incarnation # Nobody THEN Timeout ELSE ClientTimeout

ReadNamesMe(c, t) ==
  /\ c.seen.known
  /\ c.seen.row.incarnation = Incarnation(c)
  /\ t - c.seen.queriedAt < TimeoutOf(c) - Interval

MayAct(c, t) == IF Anchor = "Heartbeat" THEN t < c.leaseUntil /\ c.leaseUntil # Never ELSE ReadNamesMe(c, t)

\* Messages of c, sent now.
Query(c, t) ==
  [kind |-> "Query", node |-> c.start[1], until |-> now + Delay, asker |-> Incarnation(c), tag |-> c.tag, sentAt |-> t]

Heartbeat(c, t, epoch) ==
  [kind |-> "Heartbeat", node |-> c.start[1], until |-> now + Delay, incarnation |-> Incarnation(c), seq |-> c.tag,
   sentAt |-> t, epoch |-> epoch,
   token |-> IF c.seen.known
             THEN [incarnation |-> c.seen.row.incarnation, stamp |-> c.seen.row.stamp, version |-> c.seen.row.version]
             ELSE Nobody]

Seal(c) == [kind |-> "Seal", node |-> c.start[1], until |-> now + Delay, epoch |-> c.epoch]

Only(c) == [it |-> c, out |-> {}]

StartOver(c, t) ==
  [c EXCEPT !.life = c.life + 1, !.phase = "Standby", !.awaiting = "Nothing", !.seen = NothingSeen, !.epoch = 0,
            !.proofs = {}, !.heartbeatUnanswered = FALSE, !.replyDue = Never, !.leaseUntil = Never,
            !.stopDue = IF c.phase = "Stopping" THEN Never ELSE c.stopDue, !.workDue = Never, !.nextTick = t + Interval]

\* Begins to stop.  The lateness of the timer that saw the term end is not added to that of the one that ends the work.
Lose(c, t) ==
  LET due == Max(t + Excess(StopTime, Late), Min(t, c.leaseUntil) + StopTime)
      stopping == [c EXCEPT !.leaseUntil = Never, !.workDue = Never, !.phase = "Stopping", !.nextTick = Never,
                            !.stopDue = due]
  IN CASE c.phase = "Primary" -> IF due <= t THEN StartOver(stopping, t) ELSE stopping
       [] c.phase = "Stopping" -> [c EXCEPT !.leaseUntil = Never, !.workDue = Never]
       [] OTHER -> StartOver(c, t)

\* Step 4: it works, once fencing allows.
SteppedUp(c, t) == [c EXCEPT !.phase = "Primary", !.workDue = IF WorkEvery = 0 THEN Never ELSE t + WorkEvery]

\* The entry is its own: seal, or work at once.
Win(c, t) ==
  LET won == [c EXCEPT !.epoch = c.seen.row.epoch, !.awaiting = "Nothing", !.replyDue = Never,
                       !.nextTick = t + Interval]
  IN IF Fencing = "None" THEN Only(SteppedUp(won, t))
     ELSE [it |-> [won EXCEPT !.phase = "Sealing"], out |-> {Seal(won)}]

\* The answer shows that heartbeat accepted: the term runs from its sending.
ProveBy(c, t, proof) ==
  LET until == proof.at + SafeTerm(TimeoutOf(c))
      proven == [c EXCEPT !.anchorTag = proof.tag, !.leaseUntil = until]
      won == Win(proven, t)
  IN IF proof.tag < c.anchorTag \/ t >= until THEN Only(c)
     ELSE IF c.phase # "Standby" THEN Only(proven)
     ELSE [it |-> [won.it EXCEPT !.nextTick = proof.at + Interval], out |-> won.out]

\* By the newest heartbeat up to the one that the entry shows, if any is remembered.
Prove(c, t) ==
  LET proofs == {p \in c.proofs : p.tag <= c.seen.row.seq}
  IN IF proofs = {} THEN Only(c) ELSE ProveBy(c, t, CHOOSE p \in proofs : \A q \in proofs : q.tag <= p.tag)

\* Draws the consequences of the newest answer.
Judge(c, t) ==
  LET mine == c.seen.row.incarnation = Incarnation(c)
      leads == c.phase \in {"Sealing", "Primary"}
  IN CASE Anchor = "Heartbeat" /\ mine /\ c.phase # "Stopping" -> Prove(c, t)
       [] Anchor = "Read" /\ c.phase = "Standby" /\ ReadNamesMe(c, t) -> Win([c EXCEPT !.anchorTag = c.seen.tag], t)
       [] Anchor = "Read" /\ leads /\ mine -> Only([c EXCEPT !.anchorTag = c.seen.tag])
       [] leads /\ ~mine /\ Recheck = "OnReply" -> Only(Lose(c, t))
       [] leads /\ ~mine /\ Recheck = "NextTick" /\ Anchor = "Heartbeat" ->
            Only([c EXCEPT !.leaseUntil = Min(c.leaseUntil, c.nextTick)])
       [] OTHER -> Only(c)

ReadsEmpty(c, t) ==
  /\ c.seen.known
  /\ \/ c.seen.row.incarnation = Nobody
     \/ Age = "Observer" /\ t - c.unchangedSince >= ClientTimeout

\* Step 3: the entry is empty; it claims it.
Claim(c, t) ==
  LET claims == [c EXCEPT !.tag = c.tag + 1, !.proofs = c.proofs \cup {[tag |-> c.tag + 1, at |-> t]},
                          !.awaiting = "Claim", !.awaitedTag = c.tag + 1, !.replyDue = t + Interval, !.nextTick = Never]
  IN [it |-> claims, out |-> {Heartbeat(claims, t, 0)}]

\* A published candidate learns nothing from the answer to a heartbeat.
IsNews(c, m) ==
  /\ ~m.toHeartbeat \/ Anchor = "Heartbeat"
  /\ ~c.seen.known \/ m.tag >= c.seen.tag

Noted(c, t, m) ==
  LET awaited == c.awaiting # "Nothing" /\ m.tag = c.awaitedTag
      news == IsNews(c, m)
  IN [c EXCEPT
       !.heartbeatUnanswered = @ /\ ~m.toHeartbeat,
       !.seen = IF news THEN [row |-> m.row, tag |-> m.tag, queriedAt |-> m.sentAt, known |-> TRUE] ELSE @,
       !.unchangedSince = IF news /\ ~(c.seen.known /\ c.seen.row.version = m.row.version) THEN t ELSE @,
       !.awaiting = IF awaited THEN "Nothing" ELSE @,
       !.replyDue = IF awaited THEN Never ELSE @,
       !.nextTick = IF awaited THEN t + Interval ELSE @]

OnAnswer(c, t, m) ==
  LET noted == Noted(c, t, m)
      judged == IF IsNews(c, m) THEN Judge(noted, t) ELSE Only(noted)
      asked == c.awaiting = "Query" /\ m.tag = c.awaitedTag
  IN IF m.tag > c.tag THEN Only(c)
     ELSE IF asked /\ judged.it.phase = "Standby" /\ ReadsEmpty(judged.it, t) THEN Claim(judged.it, t)
     ELSE judged

OnMessage(c, t, m) ==
  CASE m.kind = "Answer" -> OnAnswer(c, t, m)
    [] m.kind = "Sealed" ->
         Only(IF c.phase = "Sealing" /\ m.epoch = c.epoch /\ MayAct(c, t) THEN SteppedUp(c, t) ELSE c)
    [] m.kind = "Refused" ->
         Only(IF c.phase \in {"Sealing", "Primary"} /\ m.epoch = c.epoch THEN Lose(c, t) ELSE c)

\* Step 2: asks who is primary.
Ask(c, t) ==
  LET asks == [c EXCEPT !.tag = c.tag + 1, !.awaiting = "Query", !.awaitedTag = c.tag + 1, !.replyDue = t + Interval,
                        !.nextTick = Never]
  IN [it |-> asks, out |-> {Query(asks, t)}]

\* Step 5: as primary, a heartbeat, and under published rules a query at once.
Renew(c, t) ==
  LET beats == [c EXCEPT !.tag = c.tag + 1, !.proofs = c.proofs \cup {[tag |-> c.tag + 1, at |-> t]},
                         !.heartbeatUnanswered = TRUE, !.nextTick = t + Interval]
      asks == [beats EXCEPT !.tag = beats.tag + 1]
  IN [it |-> IF Anchor = "Read" THEN asks ELSE beats,
      out |-> {Heartbeat(beats, t, c.epoch)}
              \cup (IF Anchor = "Read" THEN {Query(asks, t)} ELSE {})
              \cup (IF c.phase = "Sealing" THEN {Seal(c)} ELSE {})]

OnTick(c, t) ==
  CASE c.phase = "Standby" -> Ask(c, t)
    [] c.phase = "Stopping" -> Only([c EXCEPT !.nextTick = Never])
    [] OTHER -> IF Anchor = "Read" /\ ~ReadNamesMe(c, t) THEN Only(Lose(c, t)) ELSE Renew(c, t)

\* What is due before the tick.
Expired(c, t) ==
  LET ended == IF t >= c.leaseUntil THEN Lose(c, t) ELSE c
      stopped == IF t >= ended.stopDue THEN StartOver(ended, t) ELSE ended
  IN IF t >= stopped.replyDue
     THEN [stopped EXCEPT !.awaiting = "Nothing", !.replyDue = Never, !.nextTick = t + Interval]
     ELSE stopped

\* All timers that are due, in their order.
OnTimer(c, t) ==
  LET expired == Expired(c, t)
      ticked == IF t >= expired.nextTick THEN OnTick(expired, t) ELSE Only(expired)
      d == ticked.it
      operates == t >= d.workDue /\ d.phase = "Primary"
  IN [it |-> IF operates THEN [d EXCEPT !.operations = d.operations + 1, !.workDue = t + WorkEvery]
             ELSE IF t >= d.workDue THEN [d EXCEPT !.workDue = Never]
             ELSE d,
      out |-> ticked.out,
      held |-> IF operates
               THEN {[at |-> now + ((WorkTakes + Quantum - 1) \div Quantum), epoch |-> d.epoch,
                      number |-> d.operations + 1]}
               ELSE {}]

Deadline(c) == Min(c.nextTick, Min(c.replyDue, Min(c.leaseUntil, Min(c.stopDue, c.workDue))))

IsDue(n) == Deadline(candidate[n]) <= Clock(n)

-----------------------------------------------------------------------------
(* The table, in the dialect of the SQL server where rules leave it open.  *)

Base == 1000 * table.generation

Valid(e) ==
  /\ ~(EmptyAnswer = "Final" /\ e.answeredEmpty)
  /\ Age = "Observer" \/ Clock(0) - e.stamp < Timeout

IsValid == IF table.entry = Nobody THEN FALSE ELSE Valid(table.entry)

InGrace == IF table.graceUntil = Nobody THEN FALSE ELSE Clock(0) < table.graceUntil

\* A heartbeat that holds an epoch asks for no other one.
GrantsNothing(m) == InGrace \/ (Renewal = "Sequence" /\ m.epoch # 0)

SameVersion(m, version) == IF m.token = Nobody THEN FALSE ELSE m.token.version = version

\* The token is the entry as it would be shown.
Exact(m, e, incarnation) ==
  IF m.token = Nobody THEN FALSE ELSE m.token.incarnation = incarnation /\ m.token.stamp = e.stamp

IsFinal(e) == EmptyAnswer = "Final" /\ e.answeredEmpty

Renews(m, e) ==
  /\ e.incarnation = m.incarnation
  /\ ~IsFinal(e)
  /\ CASE Renewal = "Sequence" -> m.seq > e.seq /\ m.epoch \in {0, e.epoch}
       [] Age = "Observer" -> SameVersion(m, e.version)
       [] OTHER -> Exact(m, e, e.incarnation)

TakesOver(m, e) ==
  CASE Age = "Observer" -> SameVersion(m, e.version)
    [] Renewal = "Sequence" -> ~Valid(e) /\ SameVersion(m, e.version)
    [] OTHER -> ~Valid(e) /\ Exact(m, e, Nobody)

\* The epoch under which a heartbeat is accepted; 0 if it is refused.
Decide(m) ==
  LET e == table.entry
      next == Base + (table.epoch % 1000) + 1
  IN IF e = Nobody
     THEN IF GrantsNothing(m) \/ (Renewal = "Sequence" /\ ~SameVersion(m, Base)) THEN 0 ELSE next
     ELSE IF Renews(m, e) THEN e.epoch
     ELSE IF GrantsNothing(m) \/ ~TakesOver(m, e) THEN 0
     ELSE IF e.incarnation = m.incarnation /\ Renewal = "ExactEntry" /\ ~IsFinal(e) THEN e.epoch
     ELSE next

IsGrant(epoch) == epoch # 0 /\ (IF table.entry = Nobody THEN TRUE ELSE table.entry.epoch # epoch)

Accepted(m, epoch) ==
  [table EXCEPT !.versions = @ + 1, !.epoch = Max(@, epoch),
                !.entry = [incarnation |-> m.incarnation, epoch |-> epoch, seq |-> m.seq, stamp |-> Clock(0),
                           version |-> Base + table.versions + 1, answeredEmpty |-> FALSE]]

\* The table once it has shown its entry, or that there is none.
Shown == IF table.entry = Nobody THEN table ELSE [table EXCEPT !.entry.answeredEmpty = @ \/ ~IsValid]

\* The entry as a query reads it.
Row ==
  IF table.entry = Nobody THEN [NothingSeen.row EXCEPT !.version = Base]
  ELSE [incarnation |-> IF IsValid THEN table.entry.incarnation ELSE Nobody, epoch |-> table.entry.epoch,
        seq |-> table.entry.seq, version |-> table.entry.version, stamp |-> table.entry.stamp]

\* The entry as the heartbeat that was just accepted is told.
RowOf(e) ==
  [incarnation |-> e.incarnation, epoch |-> e.epoch, seq |-> e.seq, version |-> e.version, stamp |-> e.stamp]

Answer(m, toHeartbeat, tag, row) ==
  [kind |-> "Answer", node |-> m.node, until |-> now + Delay, toHeartbeat |-> toHeartbeat, tag |-> tag,
   sentAt |-> m.sentAt, row |-> row]

\* Whose life a heartbeat comes from.  A reused identity does not say it: the node's newest then.
Claimant(m) ==
  IF Identity = "Fresh" THEN m.incarnation
  ELSE IF candidate[m.node] = Nobody THEN <<<<m.node, starts[m.node]>>, 1>>
  ELSE LifeOf(candidate[m.node])

-----------------------------------------------------------------------------
(* The resource.                                                           *)

Lands(m) == Fencing = "None" \/ m.epoch >= resource.highest

\* Exclusive or of small numbers, bit by bit.
Xor(a, b) ==
  LET bit(x, power) == (x \div power) % 2
      xor(power) == IF bit(a, power) = bit(b, power) THEN 0 ELSE power
  IN xor(1) + xor(2) + xor(4) + xor(8) + xor(16)

\* The number by which the resource knows an operation; nothing is decided by it.
Operation(m) == 1000 * (m.epoch \div 1000) + Xor(m.epoch % 1000, m.number)

Reply(m) ==
  CASE ~Lands(m) -> {[kind |-> "Refused", node |-> m.node, until |-> now + Delay, epoch |-> m.epoch]}
    [] m.kind = "Seal" ->
         {[kind |-> "Sealed", node |-> m.node, until |-> now + Delay, epoch |-> m.epoch, last |-> resource.last]}
    [] OTHER -> {}

-----------------------------------------------------------------------------

Init ==
  /\ now = 0
  /\ status = [n \in Node |-> "off"]
  /\ starts = [n \in Node |-> 0]
  /\ candidate = [n \in Node |-> Nobody]
  /\ held = [n \in Node |-> {}]
  /\ table = [entry |-> Nobody, epoch |-> 0, versions |-> 0, generation |-> 0, graceUntil |-> Nobody]
  /\ resource = [highest |-> 0, last |-> 0]
  /\ messages = {}
  /\ used = [crashes |-> 0, pauses |-> 0, wipes |-> 0]
  /\ granted = {}
  /\ stained = FALSE

-----------------------------------------------------------------------------
(* System: candidates.                                                     *)

\* Nodes with equal clocks are interchangeable until they start, so they start in the order of their numbers.
IsNext(n) == Node \cap (Fast \cup Slow) # {} \/ \A k \in 1..(n - 1) : status[k] # "off"

\* A process begins, as a new incarnation.
Start(n) ==
  /\ status[n] = "down" \/ (status[n] = "off" /\ IsNext(n))
  /\ status' = [status EXCEPT ![n] = "up"]
  /\ starts' = [starts EXCEPT ![n] = @ + 1]
  /\ candidate' = [candidate EXCEPT ![n] = Fresh(n, starts[n] + 1)]
  /\ UNCHANGED <<now, held, table, resource, messages, used, granted, stained>>

\* Its timers that are due.
Fire(n) ==
  /\ status[n] \in {"up", "late"}
  /\ IsDue(n)
  /\ LET step == OnTimer(candidate[n], Clock(n))
     IN /\ candidate' = [candidate EXCEPT ![n] = step.it]
        /\ messages' = messages \cup step.out
        /\ held' = [held EXCEPT ![n] = @ \cup step.held]
  /\ UNCHANGED <<now, status, starts, table, resource, used, granted, stained>>

\* An answer arrives.
DeliverToNode(m) ==
  /\ m.kind \in {"Answer", "Sealed", "Refused"}
  /\ status[m.node] = "up"
  /\ LET step == OnMessage(candidate[m.node], Clock(m.node), m)
     IN /\ candidate' = [candidate EXCEPT ![m.node] = step.it]
        /\ messages' = (messages \ {m}) \cup step.out
  /\ UNCHANGED <<now, status, starts, held, table, resource, used, granted, stained>>

\* An operation is done: it leaves for the resource, whatever became of the term meanwhile.
Leave(n) ==
  /\ status[n] = "up"
  /\ \E h \in held[n] :
       /\ h.at <= now
       /\ held' = [held EXCEPT ![n] = @ \ {h}]
       /\ messages' = messages \cup
            {[kind |-> "Operate", node |-> n, until |-> now + Delay, epoch |-> h.epoch, number |-> h.number]}
  /\ UNCHANGED <<now, status, starts, candidate, table, resource, used, granted, stained>>

-----------------------------------------------------------------------------
(* System: the table and the resource.                                     *)

\* GetPrimary.
DeliverQuery(m) ==
  /\ m.kind = "Query"
  /\ table' = Shown
  /\ messages' = (messages \ {m}) \cup {Answer(m, FALSE, m.tag, Row)}
  /\ UNCHANGED <<now, status, starts, candidate, held, resource, used, granted, stained>>

\* UpdateHeartBeat, accepted.
Accept(m) ==
  LET epoch == Decide(m)
      life == Claimant(m)
  IN /\ epoch # 0
     /\ table' = Accepted(m, epoch)
     /\ messages' = (messages \ {m}) \cup {Answer(m, TRUE, m.seq, RowOf(Accepted(m, epoch).entry))}
     /\ granted' = IF IsGrant(epoch) THEN {g \in granted : g[1] # life} \cup {<<life, epoch>>} ELSE granted

\* UpdateHeartBeat, refused.
Refuse(m) ==
  /\ Decide(m) = 0
  /\ table' = Shown
  /\ messages' = (messages \ {m}) \cup {Answer(m, TRUE, m.seq, Row)}
  /\ granted' = granted

DeliverHeartbeat(m) ==
  /\ m.kind = "Heartbeat"
  /\ Accept(m) \/ Refuse(m)
  /\ UNCHANGED <<now, status, starts, candidate, held, resource, used, stained>>

\* A seal or an operation lands.
DeliverToResource(m) ==
  /\ m.kind \in {"Seal", "Operate"}
  /\ messages' = (messages \ {m}) \cup Reply(m)
  /\ resource' = IF Lands(m)
                 THEN [highest |-> Max(resource.highest, m.epoch),
                       last |-> IF m.kind = "Operate" THEN Operation(m) ELSE resource.last]
                 ELSE resource
  /\ stained' = (stained \/ (Lands(m) /\ m.epoch < resource.highest))
  /\ UNCHANGED <<now, status, starts, candidate, held, table, used, granted>>

-----------------------------------------------------------------------------
(* Environment.                                                            *)

\* Nobody who runs has anything due.
Tick ==
  /\ now < Horizon
  /\ \A n \in Node : status[n] # "late"
  /\ \A n \in Node : status[n] = "up" => (~IsDue(n) /\ \A h \in held[n] : h.at > now)
  /\ now' = now + 1
  /\ messages' = {m \in messages : m.until > now}
  /\ UNCHANGED <<status, starts, candidate, held, table, resource, used, granted, stained>>

-----------------------------------------------------------------------------
(* Faults.                                                                 *)

ToNode(m, n) == m.node = n /\ m.kind \in {"Answer", "Sealed", "Refused"}

\* The process is gone, with what it held and what was on its way to it.
Crash(n) ==
  /\ status[n] \in {"up", "paused", "late"}
  /\ used.crashes < Crashes
  /\ used' = [used EXCEPT !.crashes = @ + 1]
  /\ status' = [status EXCEPT ![n] = "down"]
  /\ candidate' = [candidate EXCEPT ![n] = Nobody]
  /\ held' = [held EXCEPT ![n] = {}]
  /\ messages' = {m \in messages : ~ToNode(m, n)}
  /\ UNCHANGED <<now, starts, table, resource, granted, stained>>

Pause(n) ==
  /\ status[n] = "up"
  /\ used.pauses < Pauses
  /\ used' = [used EXCEPT !.pauses = @ + 1]
  /\ status' = [status EXCEPT ![n] = "paused"]
  /\ UNCHANGED <<now, starts, candidate, held, table, resource, messages, granted, stained>>

\* It runs again; timers that are due come before anything else.
Resume(n) ==
  /\ status[n] = "paused"
  /\ status' = [status EXCEPT ![n] = "late"]
  /\ UNCHANGED <<now, starts, candidate, held, table, resource, messages, used, granted, stained>>

\* None is due any more.
Settle(n) ==
  /\ status[n] = "late"
  /\ ~IsDue(n)
  /\ status' = [status EXCEPT ![n] = "up"]
  /\ UNCHANGED <<now, starts, candidate, held, table, resource, messages, used, granted, stained>>

\* The store restarts empty, in the next generation.
Wipe ==
  /\ used.wipes < Wipes
  /\ used' = [used EXCEPT !.wipes = @ + 1]
  /\ table' = [table EXCEPT
                !.entry = Nobody, !.epoch = 0, !.versions = 0,
                !.generation = IF Grace = "None" THEN @ ELSE @ + 1,
                !.graceUntil = IF Grace = "None" THEN @ ELSE Clock(0) + Max(Timeout, ClientTimeout)]
  /\ messages' = {m \in messages : m.kind \notin {"Query", "Heartbeat"}}
  /\ UNCHANGED <<now, status, starts, candidate, held, resource, granted, stained>>

-----------------------------------------------------------------------------

Next ==
  \/ \E n \in Node : Start(n)
  \/ \E n \in Node : Fire(n)
  \/ \E n \in Node : Leave(n)
  \/ \E m \in messages : DeliverToNode(m)
  \/ \E m \in messages : DeliverQuery(m)
  \/ \E m \in messages : DeliverHeartbeat(m)
  \/ \E m \in messages : DeliverToResource(m)
  \/ Tick
  \/ \E n \in Node : Crash(n)
  \/ \E n \in Node : Pause(n)
  \/ \E n \in Node : Resume(n)
  \/ \E n \in Node : Settle(n)
  \/ Wipe

\* No fairness: only safety is asked for here.
Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Safety.                                                                 *)

\* Nodes whose process works as primary.
AtWork == {n \in Node : IF candidate[n] = Nobody THEN FALSE ELSE candidate[n].phase \in {"Primary", "Stopping"}}

Working == {LifeOf(candidate[n]) : n \in AtWork}

\* The present life of whoever is paused or late.
Doubted == {LifeOf(candidate[n]) : n \in {k \in Node : status[k] \in {"paused", "late"}}}

\* Whom the table names; a reused identity does not say which life, its epoch does.
Owner ==
  IF table.entry = Nobody THEN Nobody
  ELSE IF Identity = "Fresh" THEN table.entry.incarnation
  ELSE LET named == {g \in granted : g[2] = table.entry.epoch}
       IN IF named = {} THEN Nobody ELSE (CHOOSE g \in named : TRUE)[1]

\* Other lives whose operations the resource would still accept.
Open(life) == {g[1] : g \in {h \in granted : h[1] # life /\ (Fencing = "None" \/ h[2] >= resource.highest)}}

\* Belief, owed while time is not disturbed.
AtMostOneWorkingPrimary == Cardinality(Working \ Doubted) <= 1

\* Effect, owed always.
NoStaleEffect == ~stained

\* Who works as the named owner finds everything older sealed out.
SealedBeforeWork == \A life \in Working \ Doubted : Owner = life => Open(life) = {}

\* The bounds on lives, tags and counters are wide enough.
Fits ==
  \A n \in Node : candidate[n] # Nobody =>
    (LifeOf(candidate[n]) \in Life /\ candidate[n].tag < 16 /\ candidate[n].operations < 32)

TypeOK ==
  /\ now \in 0..Horizon
  /\ status \in [Node -> {"off", "up", "paused", "late", "down"}]
  /\ \A n \in Node : (candidate[n] = Nobody) = (status[n] \in {"off", "down"})
  /\ \A n \in Node : starts[n] \in 0..(Crashes + 1)
  /\ \A m \in messages : m.until \in now..(Horizon + Delay) /\ m.node \in Node
  /\ resource.highest <= table.epoch \/ Wipes > 0
  /\ stained \in BOOLEAN

-----------------------------------------------------------------------------
(* Refinement.                                                             *)

\* The epoch of a life, relative to the resource.
Token(life) ==
  LET of == {g \in granted : g[1] = life}
  IN IF of = {} THEN "none"
     ELSE IF \E g \in of : g[2] >= resource.highest THEN "open" ELSE "fenced"

C == INSTANCE Lease WITH
  Actor <- Life,
  Waits <- TRUE,
  Fences <- TRUE,
  Owns <- TRUE,
  owner <- Owner,
  works <- Working \ Doubted,
  doubted <- {},
  token <- [life \in Life |-> Token(life)],
  stained <- stained

ContractHolds == C!Spec

=============================================================================
