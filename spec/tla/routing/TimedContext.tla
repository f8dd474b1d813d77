---------------------------- MODULE TimedContext ----------------------------
(***************************************************************************)
(* One context, its two servers, a gateway and a client, in time: what     *)
(* rows, caches, views and messages in flight do. One action is one input  *)
(* of one machine. True time is an integer of quanta; every machine reads  *)
(* microseconds from a clock of its own. A message may arrive until its    *)
(* last quantum, in any order, or never; nothing else loses messages.      *)
(*                                                                         *)
(* The first step prepares: within quantum 0 both servers are granted      *)
(* their aliases, everybody who is not cold sees both of them, and the     *)
(* client's context is created at First, with Second as backup.            *)
(*                                                                         *)
(* variable       read from                                                *)
(*   now           true time, in quanta                                    *)
(*   status        the node of a server: up, paused, late, down            *)
(*   candidate     ContextServer::candidate, with the number of its start; *)
(*                 a fresh one where the node is down.  seen.row without   *)
(*                 host, version, stamp and term (two rows have one        *)
(*                 version if and only if they have one epoch and seq);    *)
(*                 proofs not older than anchorTag.  awaitedTag is tag     *)
(*                 whenever something is awaited                           *)
(*   server        ContextServer: nextLook, tag, viewTag, cache, waiting;  *)
(*                 view, the set of the aliases that are live; locked,     *)
(*                 where aliases are locked, else 0                        *)
(*   table         HeartbeatTable::entries, without host, term and version *)
(*   row           ContextTable::rows; owners as main, the other one being *)
(*                 backup                                                  *)
(*   gateway       Gateway: view (as above), nextLook, tag, seenTag        *)
(*   client        Client: number, due; pending without what it waits for  *)
(*                 and without attempts; main and generation of its HAID   *)
(*   messages      the messages in flight.  An epoch is its counter, an    *)
(*                 incarnation <<start, life>>, content the set of keys    *)
(*                 that were changed, a HAID its main.  sentAt is left     *)
(*                 out, and so is the content of an answer to a read       *)
(*   used          the faults so far                                       *)
(*   acked, wrote, split, wrongs, doubted      for the contract only       *)
(*                                                                         *)
(* Doubted is a server from its pause until it has settled, or started     *)
(* anew. Nothing is sent while it stands still, so doubt excuses nothing.  *)
(*                                                                         *)
(* contract        here                                                    *)
(*   main, backup   the row's                                              *)
(*   expired        the entry of main is valid no more                     *)
(*   token          open: main.  The other one is fenced as soon as the    *)
(*                  row was renamed, having been main, else none           *)
(*   cache          server.cache, stale without an acknowledged write      *)
(*   write          the change of key 1, by row and acked                  *)
(*   wrote, split, wrongs, doubted   as they are                           *)
(*                                                                         *)
(* Left out: creation and adoption, and with them the choice of a backup   *)
(* (R8, R9, R10); other servers, other aliases of a machine, forged and    *)
(* respelled HAIDs (R3 but for its gateway, R4, R6, R7); resignation and   *)
(* handover; a store that forgets.  Elections are hardened, and no stop    *)
(* takes time.  Chance is whatever it may be.  Where Looks is FALSE, the   *)
(* views of the servers, and the messages about them, are projected away:  *)
(* there they decide nothing.                                              *)
(*                                                                         *)
(* Actions bind what they compute by \E x \in {value}, because tla-checker *)
(* 0.24.11 computes what LET names in an action anew wherever it is used.  *)
(*                                                                         *)
(* Source: core/src/routing, core/src/election.  Refines: Context.tla.     *)
(***************************************************************************)
EXTENDS Integers, FiniteSets, Sequences

CONSTANTS
  First,          \* the server that the context is created at
  Second,         \* its backup
  Store,          \* the database
  Gateway,        \* the gateway
  Client,         \* the client
  Nobody,         \* no server, no message, nothing known
  Other,          \* a server of the contract that does not exist here
  Quantum,        \* microseconds of true time
  Rate,           \* of each server: microseconds that its clock shows in a quantum
  StoreRate,      \* the same, of the store
  Interval,       \* I, on the clock of a server
  Timeout,        \* T, on the clock of the store
  Term,           \* the safe term, on the clock of a server
  Every,          \* from an answer to the next request, on the clock of the client
  Patience,       \* how long an answer is waited for, there, and on the clock of a server
  Refresh,        \* from one look of the gateway to the next
  Wishes,         \* what the client asks for, one after the other: a key to be changed, or 0 to read; then it reads
  Cold,           \* who, of servers and gateway, never got its first view
  Looks,          \* FALSE leaves out the views of servers
  Delay,          \* D, in quanta
  Horizon,        \* the end of time, in quanta
  Crashes,        \* how many crashes there are at most
  Pauses,         \* how many pauses
  Losses,         \* how many messages are lost although somebody could receive them; Unbounded counts nothing
  Ownership,      \* R1: "LastWriter" or "Epoch"
  MainCheck,      \* R2: "Cache" or "Transaction"
  UnnamedServer,  \* R3, at the gateway: "Serves" or "Refuses"
  AliasLock       \* R5: "Forever" or "Lease"

Server == {First, Second}

\* The other server.
Rival(s) == IF s = First THEN Second ELSE First

\* No deadline.
Never == 1000000000

\* Losses are not counted.
Unbounded == 1000

Keys == {1, 2}

ASSUME PlacesDiffer == Cardinality({First, Second, Store, Gateway, Client, Nobody, Other}) = 7
ASSUME EachKeyIsChangedOnce ==
  \A i, j \in 1..Len(Wishes) : Wishes[i] \in Keys \cup {0} /\ (Wishes[i] = Wishes[j] /\ Wishes[i] # 0 => i = j)
ASSUME ViewsAreThereWhereTheyDecide ==
  Looks \/ (MainCheck = "Transaction" /\ Cold \subseteq {Gateway}) \/ Ownership = "LastWriter"
ASSUME RulesAreKnown ==
  /\ Ownership \in {"LastWriter", "Epoch"}
  /\ MainCheck \in {"Cache", "Transaction"}
  /\ UnnamedServer \in {"Serves", "Refuses"}
  /\ AliasLock \in {"Forever", "Lease"}

-----------------------------------------------------------------------------

VARIABLES
  now,        \* true time
  status,     \* of each node of a server
  candidate,  \* of each server: its election
  server,     \* of each server: what it knows of aliases and of the context
  table,      \* of each alias: its heartbeat entry
  row,        \* the context's row
  gateway,    \* what the gateway knows
  client,     \* what the client knows
  messages,   \* in flight
  used,       \* the faults so far
  acked,      \* a client was told that key 1 is changed
  wrote,      \* whose write was the first one of the row's epoch
  split,      \* writes of two servers were accepted in one epoch
  wrongs,     \* what else was done wrong
  doubted     \* the servers that are paused, late, or died so

nodes == <<status, candidate, server>>
stores == <<table, row>>
ghosts == <<acked, wrote, split, wrongs>>
vars == <<now, nodes, stores, gateway, client, messages, used, ghosts, doubted>>

TypeOK ==
  /\ now \in 0..Horizon
  /\ \A s \in Server : status[s] \in {"up", "paused", "late", "down"}
  /\ \A s \in Server : candidate[s].phase \in {"Standby", "Primary"}
  /\ \A s \in Server : candidate[s].phase = "Primary" <=> candidate[s].leaseUntil # Never
  /\ \A s \in Server : server[s].view \subseteq Server
  /\ row # Nobody => row.main \in Server /\ row.content \subseteq Keys
  /\ \A m \in messages : m.until >= now /\ m.until <= now + Delay
  /\ acked \in BOOLEAN
  /\ wrote \in Server \cup {Nobody}
  /\ split \in BOOLEAN
  /\ wrongs \subseteq {"haste", "stale"}
  /\ doubted \subseteq Server

\* A candidate of a new process, in its first life.
FreshCandidate(start) ==
  [start |-> start, life |-> 1, phase |-> "Standby", tag |-> 0, awaiting |-> "Nothing", seen |-> Nobody, epoch |-> 0,
   proofs |-> {}, anchorTag |-> 0, nextTick |-> 0, replyDue |-> Never, leaseUntil |-> Never]

\* A server of a new process.
FreshServer == [nextLook |-> 0, tag |-> 0, locked |-> 0, view |-> {}, viewTag |-> 0, cache |-> Nobody, waiting |-> {}]

\* It asked with its first request, claimed with its second, and was granted.
Granted == [incarnation |-> <<1, 1>>, epoch |-> 1, seq |-> 2]

Init ==
  /\ now = 0
  /\ status = [s \in Server |-> "up"]
  /\ candidate =
       [s \in Server |->
         [FreshCandidate(1) EXCEPT !.phase = "Primary", !.tag = 2, !.seen = [tag |-> 2, row |-> Granted], !.epoch = 1,
                                   !.proofs = {[tag |-> 2, at |-> 0]}, !.anchorTag = 2, !.nextTick = Interval,
                                   !.leaseUntil = Term]]
  /\ server =
       [s \in Server |->
         [FreshServer EXCEPT !.nextLook = Interval, !.tag = IF s = First THEN 2 ELSE 1,
                             !.locked = IF AliasLock = "Forever" THEN 1 ELSE 0,
                             !.view = IF s \in Cold THEN {} ELSE Server, !.viewTag = IF s \in Cold THEN 0 ELSE 1]]
  /\ table = [s \in Server |-> [incarnation |-> <<1, 1>>, epoch |-> 1, seq |-> 2, acceptedAt |-> 0,
                                answeredEmpty |-> FALSE]]
  /\ row = Nobody
  /\ gateway = [view |-> IF Gateway \in Cold THEN {} ELSE Server, nextLook |-> Refresh, tag |-> 1,
                seenTag |-> IF Gateway \in Cold THEN 0 ELSE 1]
  /\ client = [number |-> 1, pending |-> Nobody, due |-> Every, main |-> First,
               generation |-> IF Ownership = "Epoch" THEN 1 ELSE 0]
  /\ messages = {}
  /\ used = [crashes |-> 0, pauses |-> 0, losses |-> 0]
  /\ acked = FALSE
  /\ wrote = Nobody
  /\ split = FALSE
  /\ wrongs = {}
  /\ doubted = {}

-----------------------------------------------------------------------------
(* Clocks and messages.                                                    *)

\* What the clock of a server shows.
Clock(s) == now * Rate[s]

\* What the clock of the store shows.
StoreClock == now * StoreRate

\* What the clocks of gateway and client show.
TrueClock == now * Quantum

\* Letters are what a machine sends in a step, [to, body]; in flight they bear their sender and their last quantum.
Post(from, letters) == {[from |-> from, to |-> l.to, until |-> now + Delay, body |-> l.body] : l \in letters}

\* Machines at from sent letters, and message m, if any, was received.
Sent(from, letters) == messages' = messages \cup Post(from, letters)
Received(m, letters) == messages' = (messages \ {m}) \cup Post(m.to, letters)

To(place, body) == [to |-> place, body |-> body]

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
              held == [c EXCEPT !.anchorTag = p.tag, !.leaseUntil = p.at + Term,
                                !.proofs = {q \in c.proofs : q.tag >= p.tag}]
          IN IF c.phase = "Primary"
             THEN held
             ELSE [held EXCEPT !.phase = "Primary", !.epoch = c.seen.row.epoch, !.awaiting = "Nothing",
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
(* Servers.                                                                *)

\* The epoch in which a server holds its alias, and whether it believes that it does.
TermOf(s) == IF AliasLock = "Forever" THEN server[s].locked ELSE candidate[s].epoch

Holds(s) ==
  IF AliasLock = "Forever"
  THEN server[s].locked # 0
  ELSE candidate[s].phase = "Primary" /\ Clock(s) < candidate[s].leaseUntil

\* A new life forgets the context; a new hold on the alias is noted.
Lived(v, before, after) ==
  LET clean == IF after.life # before.life /\ Ownership = "Epoch"
               THEN [v EXCEPT !.cache = Nobody, !.waiting = {}]
               ELSE v
  IN IF AliasLock = "Forever" /\ before.phase = "Standby" /\ after.phase = "Primary"
     THEN [clean EXCEPT !.locked = after.epoch]
     ELSE clean

\* What it would serve the context from.
Serves(s, v) ==
  /\ v.cache # Nobody
  /\ Ownership = "LastWriter" \/ (v.cache.row.main = s /\ v.cache.term = TermOf(s) /\ Holds(s))

ReplyTo(request, answer, main, generation) ==
  To(Gateway, [kind |-> "Reply", number |-> request.number, answer |-> answer, main |-> main,
               generation |-> generation])

Refusal(request) == ReplyTo(request, "Unavailable", Nobody, 0)

\* It asks the store, for the sake of a request.
Asked(s, v, request, writes, body) ==
  [server |->
     [v EXCEPT !.tag = v.tag + 1,
               !.waiting = v.waiting \cup {[tag |-> v.tag + 1, term |-> TermOf(s), since |-> Clock(s),
                                            writes |-> writes, request |-> request]}],
   letters |-> {To(Store, body)}]

\* It serves a request from its cache, or asks for the row first: serve.
Served(s, v, request) ==
  IF ~Serves(s, v)
  THEN Asked(s, v, request, FALSE,
             [kind |-> "Load", tag |-> v.tag + 1, term |-> TermOf(s),
              mainGone |-> Looks /\ request.main \notin v.view])
  ELSE IF request.key = 0
  THEN [server |-> v, letters |-> {ReplyTo(request, "Value", v.cache.row.main, v.cache.row.generation)}]
  ELSE Asked(s, v, request, TRUE,
             [kind |-> "Write", tag |-> v.tag + 1, term |-> TermOf(s), epoch |-> v.cache.row.epoch,
              key |-> request.key, content |-> v.cache.row.content \cup {request.key}])

\* It takes a row over, unless a newer state is known or it was asked for in another term: remember.
Remembered(s, v, shown, term) ==
  LET own == Ownership = "LastWriter" \/ (shown.main = s /\ term = TermOf(s))
      known == v.cache
      newer == \/ known = Nobody
               \/ known.term # term
               \/ shown.epoch > known.row.epoch
               \/ shown.epoch = known.row.epoch /\ shown.version >= known.row.version
  IN IF own /\ newer THEN [v EXCEPT !.cache = [term |-> term, row |-> shown]] ELSE v

\* What an outcome makes of a server that waits for it as w.
Learnt(s, b, w) ==
  LET v == [server[s] EXCEPT !.waiting = server[s].waiting \ {w}]
      kept == Remembered(s, v, b.row, b.term)
      forgot == IF Ownership = "Epoch" THEN [v EXCEPT !.cache = Nobody, !.waiting = {}] ELSE v
  IN IF b.verdict = "NotHolder"
     THEN [server |-> v, letters |-> {Refusal(w.request)}]
     ELSE IF b.verdict = "NotOwner"
     THEN [server |-> forgot, letters |-> {ReplyTo(w.request, "Moved", b.row.main, b.row.generation)}]
     ELSE IF w.writes
     THEN [server |-> kept, letters |-> {ReplyTo(w.request, "Changed", b.row.main, b.row.generation)}]
     ELSE IF Serves(s, kept)
     THEN Served(s, kept, w.request)
     ELSE [server |-> kept, letters |-> {Refusal(w.request)}]

\* What an outcome makes of a server, and whether it tells a client that key 1 is changed: on_outcome.
Informed(s, b) ==
  LET asked == {w \in server[s].waiting : w.tag = b.tag /\ w.term = b.term}
  IN IF asked = {}
     THEN [server |-> server[s], letters |-> {}, told |-> FALSE]
     ELSE LET w == CHOOSE w \in asked : TRUE
              step == Learnt(s, b, w)
          IN [server |-> step.server, letters |-> step.letters,
              told |-> w.writes /\ w.request.key = 1 /\ b.verdict = "Done"]

\* A read was answered: without the acknowledged write, unless nothing was.
Judged(s, step) ==
  wrongs' =
    IF acked /\ s \notin doubted /\ (\E l \in step.letters : l.body.kind = "Reply" /\ l.body.answer = "Value")
             /\ 1 \notin step.server.cache.row.content
    THEN wrongs \cup {"stale"}
    ELSE wrongs

\* Server s steps.
Step(s, c, v) ==
  /\ candidate' = [candidate EXCEPT ![s] = c]
  /\ server' = [server EXCEPT ![s] = v]
  /\ status' = status

ServerDue(s) ==
  \E t \in {candidate[s].nextTick, candidate[s].replyDue, candidate[s].leaseUntil, server[s].nextLook} : t <= Clock(s)

\* It looks at the aliases when it is time, and waits no more for what it asked long ago.
Looking(s, v, t) ==
  IF t < v.nextLook
  THEN [server |-> v, letters |-> {}]
  ELSE [server |-> [v EXCEPT !.nextLook = t + Interval, !.tag = v.tag + 1,
                             !.waiting = {w \in v.waiting : t - w.since < Patience}],
        letters |-> IF Looks THEN {To(Store, [kind |-> "Look", tag |-> v.tag + 1])} ELSE {}]

\* A timer of a server passed.
FireServer(s) ==
  /\ row # Nobody
  /\ status[s] \in {"up", "late"}
  /\ ServerDue(s)
  /\ \E c \in {Timed(candidate[s], Clock(s))} :
       \E v \in {Looking(s, Lived(server[s], candidate[s], c.candidate), Clock(s))} :
         /\ Step(s, c.candidate, v.server)
         /\ Sent(s, c.letters \cup v.letters)
  /\ UNCHANGED <<now, stores, gateway, client, used, ghosts, doubted>>

\* A server hears from the heartbeat table.
DeliverAnswer(m) ==
  /\ AtServer(m, "Answer")
  /\ \E c \in {Answered(candidate[m.to], Clock(m.to), m.body)} :
       /\ Step(m.to, c.candidate, Lived(server[m.to], candidate[m.to], c.candidate))
       /\ Received(m, c.letters)
  /\ UNCHANGED <<now, stores, gateway, client, used, ghosts, doubted>>

\* The aliases as a server sees them, unless it has seen them later: on_view.
Seen(v, b) ==
  IF b.tag > v.viewTag /\ b.tag <= v.tag THEN [v EXCEPT !.view = b.view, !.viewTag = b.tag] ELSE v

\* A server sees the aliases.
DeliverView(m) ==
  /\ AtServer(m, "View")
  /\ Step(m.to, candidate[m.to], Seen(server[m.to], m.body))
  /\ Received(m, {})
  /\ UNCHANGED <<now, stores, gateway, client, used, ghosts, doubted>>

\* What a request makes of a server: on_request.
Requested(s, b) ==
  IF Holds(s) THEN Served(s, server[s], b) ELSE [server |-> server[s], letters |-> {Refusal(b)}]

\* A server is asked.
DeliverRequest(m) ==
  /\ AtServer(m, "Request")
  /\ \E step \in {Requested(m.to, m.body)} :
       /\ Step(m.to, candidate[m.to], step.server)
       /\ Received(m, step.letters)
       /\ Judged(m.to, step)
  /\ UNCHANGED <<now, stores, gateway, client, used, acked, wrote, split, doubted>>

\* A server learns what came of an operation, and may tell a client that its change is done.
DeliverOutcome(m) ==
  /\ AtServer(m, "Outcome")
  /\ \E step \in {Informed(m.to, m.body)} :
       /\ Step(m.to, candidate[m.to], step.server)
       /\ Received(m, step.letters)
       /\ Judged(m.to, step)
       /\ acked' = (acked \/ step.told)
  /\ UNCHANGED <<now, stores, gateway, client, used, wrote, split, doubted>>

-----------------------------------------------------------------------------
(* Store: the heartbeat table.                                             *)

\* Whether an entry names its holder.
Valid(e) == ~e.answeredEmpty /\ StoreClock < e.acceptedAt + Timeout

\* An empty answer is for good.
Shown(e) == [e EXCEPT !.answeredEmpty = ~Valid(e)]

AnswerOf(e, toHeartbeat, tag) ==
  [kind |-> "Answer", toHeartbeat |-> toHeartbeat, tag |-> tag,
   row |-> [incarnation |-> IF Valid(e) THEN e.incarnation ELSE Nobody, epoch |-> e.epoch, seq |-> e.seq]]

DeliverQuery(m) ==
  /\ At(m, Store, "Query")
  /\ table' = [table EXCEPT ![m.from] = Shown(table[m.from])]
  /\ Received(m, {To(m.from, AnswerOf(table[m.from], FALSE, m.body.tag))})
  /\ UNCHANGED <<now, nodes, row, gateway, client, used, ghosts, doubted>>

\* The holder is renewed, in its epoch.
Renews(e, b) ==
  e.incarnation = b.incarnation /\ ~e.answeredEmpty /\ b.seq > e.seq /\ (b.epoch = 0 \/ b.epoch = e.epoch)

\* The alias is free, and the claim rests on what stands there.
Claims(e, b) ==
  /\ b.epoch = 0
  /\ ~Valid(e)
  /\ b.token = <<e.epoch, e.seq>>
  /\ AliasLock = "Lease" \/ e.incarnation = b.incarnation

\* What a heartbeat makes of an entry.
Beaten(e, b) ==
  IF Renews(e, b) \/ Claims(e, b)
  THEN [incarnation |-> b.incarnation, epoch |-> IF Renews(e, b) THEN e.epoch ELSE e.epoch + 1, seq |-> b.seq,
        acceptedAt |-> StoreClock, answeredEmpty |-> FALSE]
  ELSE Shown(e)

DeliverHeartbeat(m) ==
  /\ At(m, Store, "Heartbeat")
  /\ \E e \in {Beaten(table[m.from], m.body)} :
       /\ table' = [table EXCEPT ![m.from] = e]
       /\ Received(m, {To(m.from, AnswerOf(e, TRUE, m.body.seq))})
  /\ UNCHANGED <<now, nodes, row, gateway, client, used, ghosts, doubted>>

\* The aliases, as they stand.
DeliverLook(m) ==
  /\ At(m, Store, "Look")
  /\ Received(m, {To(m.from, [kind |-> "View", tag |-> m.body.tag, view |-> {s \in Server : Valid(table[s])}])})
  /\ UNCHANGED <<now, nodes, stores, gateway, client, used, ghosts, doubted>>

-----------------------------------------------------------------------------
(* Store: the row.                                                         *)

\* As an outcome shows it.
View(r) ==
  [main |-> r.main, epoch |-> r.epoch, generation |-> r.generation, content |-> r.content, version |-> r.version]

OutcomeOf(b, verdict, r) ==
  [kind |-> "Outcome", tag |-> b.tag, term |-> b.term, verdict |-> verdict, row |-> View(r)]

HoldsAlias(s, term) == table[s].epoch = term /\ Valid(table[s])

\* Ownership in a new epoch.
Owned(r, term) == [r EXCEPT !.epoch = r.epoch + 1, !.holder = term]

\* What becomes of a server that asks for the row, and to own it.
LoadVerdict(s, b) ==
  IF Ownership = "LastWriter"
  THEN "Reads"
  ELSE IF ~HoldsAlias(s, b.term)
  THEN "NotHolder"
  ELSE IF row.main = s
  THEN (IF row.holder = b.term THEN "Reads" ELSE "Granted")
  ELSE IF (IF MainCheck = "Cache" THEN b.mainGone ELSE ~Valid(table[Rival(s)])) THEN "Takes" ELSE "NotOwner"

\* What the server is told of it.
Public(verdict) == IF verdict \in {"NotHolder", "NotOwner"} THEN verdict ELSE "Done"

\* The row after it.
Loaded(s, b, verdict) ==
  IF verdict = "Takes"
  THEN [Owned(row, b.term) EXCEPT !.main = s, !.generation = row.generation + 1]
  ELSE IF verdict = "Granted" THEN Owned(row, b.term) ELSE row

DeliverLoad(m) ==
  /\ At(m, Store, "Load")
  /\ \E verdict \in {LoadVerdict(m.from, m.body)} :
       \E r \in {Loaded(m.from, m.body, verdict)} :
         /\ row' = r
         /\ table' = IF verdict = "Takes" /\ MainCheck = "Transaction"
                     THEN [table EXCEPT ![Rival(m.from)] = Shown(table[Rival(m.from)])]
                     ELSE table
         /\ wrote' = IF verdict \in {"Takes", "Granted"} THEN Nobody ELSE wrote
         /\ wrongs' = IF verdict = "Takes" /\ Valid(table[Rival(m.from)]) THEN wrongs \cup {"haste"} ELSE wrongs
         /\ Received(m, {To(m.from, OutcomeOf(m.body, Public(verdict), r))})
  /\ UNCHANGED <<now, nodes, gateway, client, used, acked, split, doubted>>

\* Whether server s may write, and what is in the row then. A change that is there already counts once.
MayWrite(s, b) == Ownership = "LastWriter" \/ (row.main = s /\ row.epoch = b.epoch)

Written(s, b) ==
  IF Ownership = "LastWriter"
  THEN [row EXCEPT !.content = b.content, !.version = row.version + 1]
  ELSE IF MayWrite(s, b) /\ b.key \notin row.content
  THEN [row EXCEPT !.content = row.content \cup {b.key}, !.version = row.version + 1]
  ELSE row

DeliverWrite(m) ==
  /\ At(m, Store, "Write")
  /\ \E r \in {Written(m.from, m.body)} :
       /\ row' = r
       /\ wrote' = IF r # row /\ wrote = Nobody THEN m.from ELSE wrote
       /\ split' = (split \/ (r # row /\ wrote \notin {m.from, Nobody}))
       /\ Received(m, {To(m.from, OutcomeOf(m.body, IF MayWrite(m.from, m.body) THEN "Done" ELSE "NotOwner", r))})
  /\ UNCHANGED <<now, nodes, table, gateway, client, used, acked, wrongs, doubted>>

-----------------------------------------------------------------------------
(* Gateway and client.                                                     *)

FireGateway ==
  /\ row # Nobody
  /\ gateway.nextLook <= TrueClock
  /\ gateway' = [gateway EXCEPT !.nextLook = TrueClock + Refresh, !.tag = gateway.tag + 1]
  /\ Sent(Gateway, {To(Store, [kind |-> "Look", tag |-> gateway.tag + 1])})
  /\ UNCHANGED <<now, nodes, stores, client, used, ghosts, doubted>>

\* The gateway sees the aliases, unless it has seen them later.
DeliverGatewayView(m) ==
  /\ At(m, Gateway, "View")
  /\ gateway' = IF m.body.tag > gateway.seenTag /\ m.body.tag <= gateway.tag
                THEN [gateway EXCEPT !.view = m.body.view, !.seenTag = m.body.tag]
                ELSE gateway
  /\ Received(m, {})
  /\ UNCHANGED <<now, nodes, stores, client, used, ghosts, doubted>>

\* Whom a request may go to; nobody, if it is refused.
Routes(b) ==
  LET one == IF b.avoidMain THEN Rival(b.main) ELSE b.main
  IN IF one \in gateway.view
     THEN {one}
     ELSE IF Rival(one) \in gateway.view
     THEN {Rival(one)}
     ELSE IF UnnamedServer = "Serves" THEN Server ELSE {}

DeliverToGateway(m) ==
  /\ At(m, Gateway, "Request")
  /\ Routes(m.body) # {}
  /\ \E s \in Routes(m.body) : Received(m, {To(s, m.body)})
  /\ UNCHANGED <<now, nodes, stores, gateway, client, used, ghosts, doubted>>

\* The gateway knows nobody to ask.
RefuseRequest(m) ==
  /\ At(m, Gateway, "Request")
  /\ Routes(m.body) = {}
  /\ Received(m, {To(Client, Refusal(m.body).body)})
  /\ UNCHANGED <<now, nodes, stores, gateway, client, used, ghosts, doubted>>

DeliverBack(m) ==
  /\ At(m, Gateway, "Reply")
  /\ Received(m, {To(Client, m.body)})
  /\ UNCHANGED <<now, nodes, stores, gateway, client, used, ghosts, doubted>>

\* The n-th request of the client; the first one created the context.
Wish(n) == IF n - 1 <= Len(Wishes) THEN Wishes[n - 1] ELSE 0

Attempt(k) ==
  {To(Gateway, [kind |-> "Request", number |-> k.number, key |-> Wish(k.number), main |-> k.main,
                avoidMain |-> k.pending.avoidMain])}

Asking ==
  LET begins == client.pending = Nobody
  IN [client EXCEPT !.number = IF begins THEN client.number + 1 ELSE client.number,
                    !.pending = [avoidMain |-> ~begins /\ ~client.pending.avoidMain, followed |-> FALSE],
                    !.due = TrueClock + Patience]

\* The client asks, or asks again, somebody else.
FireClient ==
  /\ row # Nobody
  /\ client.due <= TrueClock
  /\ \E k \in {Asking} : client' = k /\ Sent(Client, Attempt(k))
  /\ UNCHANGED <<now, nodes, stores, gateway, used, ghosts, doubted>>

\* The HAID that came with an answer, if it is none from before.
Told(b) == IF b.generation >= client.generation
           THEN [client EXCEPT !.main = b.main, !.generation = b.generation]
           ELSE client

\* What an answer makes of the client, and whether it asks again at once: on_answer.
Heard(b) ==
  LET k == Told(b)
  IN IF client.pending = Nobody \/ b.number # client.number \/ b.answer = "Unavailable"
     THEN client
     ELSE IF b.answer # "Moved"
     THEN [k EXCEPT !.pending = Nobody, !.due = TrueClock + Every]
     ELSE IF client.pending.followed
     THEN k
     ELSE [k EXCEPT !.pending = [avoidMain |-> FALSE, followed |-> TRUE], !.due = TrueClock + Patience]

Redirected(b) ==
  /\ client.pending # Nobody
  /\ b.number = client.number
  /\ b.answer = "Moved"
  /\ ~client.pending.followed

DeliverReply(m) ==
  /\ At(m, Client, "Reply")
  /\ \E k \in {Heard(m.body)} :
       /\ client' = k
       /\ Received(m, IF Redirected(m.body) THEN Attempt(k) ELSE {})
  /\ UNCHANGED <<now, nodes, stores, gateway, used, ghosts, doubted>>

-----------------------------------------------------------------------------
(* Environment.                                                            *)

\* What the header says of quantum 0; the contract sees the creation of the context.
Prepare ==
  /\ row = Nobody
  /\ row' = IF Ownership = "Epoch"
            THEN [main |-> First, holder |-> 1, epoch |-> 1, generation |-> 1, content |-> {}, version |-> 0]
            ELSE [main |-> First, holder |-> 0, epoch |-> 0, generation |-> 0, content |-> {}, version |-> 0]
  /\ UNCHANGED <<now, nodes, table, gateway, client, messages, used, ghosts, doubted>>

\* Nobody could have received m.
Unreachable(m) == m.to \in Server /\ status[m.to] # "up"

\* How many messages are lost, if time passes now, that somebody could have received.
Lost == Cardinality({m \in messages : m.until = now /\ ~Unreachable(m)})

\* A quantum passes, when every timer that is due has had its turn. Messages that are late now are lost.
Tick ==
  /\ row # Nobody
  /\ now < Horizon
  /\ \A s \in Server : status[s] # "late" /\ (status[s] = "up" => ~ServerDue(s))
  /\ gateway.nextLook > TrueClock
  /\ client.due > TrueClock
  /\ used.losses + Lost <= Losses
  /\ used' = IF Losses = Unbounded THEN used ELSE [used EXCEPT !.losses = used.losses + Lost]
  /\ messages' = {m \in messages : m.until # now}
  /\ now' = now + 1
  /\ UNCHANGED <<nodes, stores, gateway, client, ghosts, doubted>>

\* A process ends, and what is on the way to it is gone.
Crash(s) ==
  /\ row # Nobody
  /\ status[s] # "down"
  /\ used.crashes < Crashes
  /\ used' = [used EXCEPT !.crashes = used.crashes + 1]
  /\ status' = [status EXCEPT ![s] = "down"]
  /\ candidate' = [candidate EXCEPT ![s] = FreshCandidate(candidate[s].start)]
  /\ server' = [server EXCEPT ![s] = FreshServer]
  /\ messages' = {m \in messages : m.to # s}
  /\ UNCHANGED <<now, stores, gateway, client, ghosts, doubted>>

\* A new process; a doubt about the former one ends with it.
Start(s) ==
  /\ status[s] = "down"
  /\ status' = [status EXCEPT ![s] = "up"]
  /\ candidate' = [candidate EXCEPT ![s] = FreshCandidate(candidate[s].start + 1)]
  /\ doubted' = doubted \ {s}
  /\ UNCHANGED <<now, server, stores, gateway, client, messages, used, ghosts>>

Pause(s) ==
  /\ row # Nobody
  /\ status[s] = "up"
  /\ used.pauses < Pauses
  /\ used' = [used EXCEPT !.pauses = used.pauses + 1]
  /\ status' = [status EXCEPT ![s] = "paused"]
  /\ doubted' = doubted \cup {s}
  /\ UNCHANGED <<now, candidate, server, stores, gateway, client, messages, ghosts>>

\* The timers that passed come first.
Resume(s) ==
  /\ status[s] = "paused"
  /\ status' = [status EXCEPT ![s] = "late"]
  /\ UNCHANGED <<now, candidate, server, stores, gateway, client, messages, used, ghosts, doubted>>

Settle(s) ==
  /\ status[s] = "late"
  /\ ~ServerDue(s)
  /\ status' = [status EXCEPT ![s] = "up"]
  /\ doubted' = doubted \ {s}
  /\ UNCHANGED <<now, candidate, server, stores, gateway, client, messages, used, ghosts>>

-----------------------------------------------------------------------------

ToServer(m) == DeliverAnswer(m) \/ DeliverView(m) \/ DeliverRequest(m) \/ DeliverOutcome(m)

ToStore(m) == DeliverQuery(m) \/ DeliverHeartbeat(m) \/ DeliverLook(m) \/ DeliverLoad(m) \/ DeliverWrite(m)

ToGateway(m) == DeliverGatewayView(m) \/ DeliverToGateway(m) \/ RefuseRequest(m) \/ DeliverBack(m)

Deliver(m) == ToServer(m) \/ ToStore(m) \/ ToGateway(m) \/ DeliverReply(m)

Faults(s) == Crash(s) \/ Start(s) \/ Pause(s) \/ Resume(s) \/ Settle(s)

\* Time ends by design; whatever else stands still does not.
Rest ==
  /\ now = Horizon
  /\ UNCHANGED vars

Servers == \E s \in Server : FireServer(s) \/ Faults(s)

Messages == \E m \in messages : Deliver(m)

Next == Prepare \/ Tick \/ Rest \/ FireGateway \/ FireClient \/ Servers \/ Messages

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Safety.                                                                 *)

\* How far the marked write has come.
Write ==
  LET in == row # Nobody /\ 1 \in row.content
  IN IF acked THEN (IF in THEN "acked" ELSE "lost") ELSE IF in THEN "applied" ELSE "none"

\* In an epoch of the context, writes of one server alone are accepted.
OneOwnerPerEpoch == ~split

\* A write that a client was told of stays in the row.
NoLostAcknowledgedWrite == Write # "lost"

\* A read that a trusted server answers shows every write that a client was told of.
NoStaleRead == "stale" \notin wrongs

\* The backup takes over only after the main's heartbeat row has expired.
TakeWaitsForExpiry == "haste" \notin wrongs

-----------------------------------------------------------------------------
(* What must be reached, told as properties that fail.                     *)

\* The backup becomes main, is written to, and a client is told.
NobodyTakesOver == row # Nobody /\ row.main = Second => ~acked \/ wrote # Second

-----------------------------------------------------------------------------
(* Refinement.                                                             *)

CacheOf(s) ==
  IF server[s].cache = Nobody
  THEN "none"
  ELSE IF acked /\ 1 \notin server[s].cache.row.content THEN "stale" ELSE "current"

\* With two servers, whoever is not main of a row that was renamed was main before.
TokenOf(s) ==
  IF row = Nobody THEN "none" ELSE IF row.main = s THEN "open" ELSE IF row.generation > 1 THEN "fenced" ELSE "none"

C == INSTANCE Context WITH
  Server <- Server,
  Homes <- TRUE,
  Names <- TRUE,
  Waits <- TRUE,
  Owns <- TRUE,
  Fresh <- TRUE,
  Keeps <- TRUE,
  Follows <- TRUE,
  main <- IF row = Nobody THEN Nobody ELSE row.main,
  backup <- IF row = Nobody THEN Nobody ELSE Rival(row.main),
  expired <- IF row = Nobody THEN FALSE ELSE ~Valid(table[row.main]),
  token <- [s \in Server |-> TokenOf(s)],
  cache <- [s \in Server |-> CacheOf(s)],
  write <- Write

ContextSpec == C!Spec

=============================================================================
