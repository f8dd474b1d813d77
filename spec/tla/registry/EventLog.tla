------------------------------ MODULE EventLog ------------------------------
(***************************************************************************)
(* How a registry keeps the contract: one event log of records, nodes that *)
(* fold it, and subscribers that name a cursor.  A position is written as  *)
(* the records that stand before it, which is what log, epoch and offset   *)
(* mean together; so a position is one of the log if it is a prefix of it. *)
(*                                                                         *)
(* Left out: removals by checks (which are records like any other here),   *)
(* horizons, time, messages: what a node tells arrives at once.            *)
(* Refines: Registry.tla.  How positions become words there is how a judge *)
(* reads a run, too.                                                       *)
(***************************************************************************)
EXTENDS Integers, Sequences, FiniteSets

CONSTANTS
  Node, Subscriber, Other,
  LogMax,   \* how many records the log may hold
  StartMax, \* how many starts there are
  Epochs    \* FALSE plants: a cursor is an offset alone

ASSUME FoldIsWrittenOut == LogMax \in 0..3

VARIABLES
  log,      \* the records
  lost,     \* the records before the failover: some pages of it are still read
  reading,  \* a failover whose log is not read yet
  begun,    \* how many starts there were
  life,     \* what the newest does
  folded,   \* the position of each node
  cursor,   \* the position of each subscriber; none is an offset below all
  view,     \* what each subscriber knows
  earlier,  \* ghost: as in the contract
  epoch     \* ghost: as in the contract

vars == <<log, lost, reading, begun, life, folded, cursor, view, earlier, epoch>>

None == [start |-> 0, check |-> "none"]

\* What a record makes of a listing.
Step(before, record) ==
  CASE record.kind = "registered" ->
         IF before.start = record.start THEN before ELSE [start |-> record.start, check |-> "unknown"]
    [] record.kind = "deregistered" -> IF before.start = record.start THEN None ELSE before
    [] record.kind = "failed" -> IF before.start = 0 THEN before ELSE [before EXCEPT !.check = "critical"]
    [] record.kind = "passed" -> IF before.start = 0 THEN before ELSE [before EXCEPT !.check = "passing"]
    [] OTHER -> before

\* What the fold of some records lists.
\* Written out, because tla-checker 0.24.11 cannot prime a recursion.
FoldOf1(records) == IF Len(records) < 1 THEN None ELSE Step(None, records[1])
FoldOf2(records) == IF Len(records) < 2 THEN FoldOf1(records) ELSE Step(FoldOf1(records), records[2])
FoldOf(records) == IF Len(records) < 3 THEN FoldOf2(records) ELSE Step(FoldOf2(records), records[3])

Prefix(records, length) == SubSeq(records, 1, length)

IsPrefix(some, records) == Len(some) <= Len(records) /\ some = Prefix(records, Len(some))

\* What subscribers are told of a listing.
Shown(listing) == <<listing.start, listing.check = "critical">>

\* Whether a record is a change.
IsChange(records, i) == Shown(FoldOf(Prefix(records, i))) # Shown(FoldOf(Prefix(records, i - 1)))

\* The newest change after a length, or that length.
Newest(records, after) ==
  CHOOSE i \in after..(after + LogMax) :
    /\ i = after \/ (i <= Len(records) /\ IsChange(records, i))
    /\ \A j \in (i + 1)..Len(records) : ~IsChange(records, j)

\* The records that two positions have in common.
Common(one, other) ==
  LET all == {i \in 0..Len(one) : i <= Len(other) /\ Prefix(one, i) = Prefix(other, i)}
  IN CHOOSE i \in all : \A j \in all : j <= i

Held(start) == IF start = 0 THEN "none" ELSE "listed"

Nowhere == <<[kind |-> "nowhere", start |-> 0, epoch |-> "same"]>>

Init ==
  /\ log = <<>>
  /\ lost = <<>>
  /\ reading = FALSE
  /\ begun = 0
  /\ life = "none"
  /\ folded = [n \in Node |-> <<>>]
  /\ cursor = [c \in Subscriber |-> Nowhere]
  /\ view = [c \in Subscriber |-> Shown(None)]
  /\ earlier = {}
  /\ epoch = "same"

-----------------------------------------------------------------------------

Appended(record) ==
  /\ ~reading
  /\ Len(log) < LogMax
  /\ log' = Append(log, record)
  /\ earlier' = IF IsChange(log', Len(log')) THEN earlier \cup {Held(FoldOf(log).start)} ELSE earlier
  /\ UNCHANGED <<lost, reading, begun, life, folded, cursor, view, epoch>>

\* A record bears the epoch in which it was appended, so that no two are the same.
Of(kind, start) == [kind |-> kind, start |-> start, epoch |-> epoch]

Register ==
  /\ begun > 0
  /\ \E i \in 1..begun : Appended(Of("registered", i))

Deregister ==
  /\ begun > 0
  /\ \E i \in 1..begun : (i = begun => life = "leaving") /\ Appended(Of("deregistered", i))

Check ==
  /\ FoldOf(log).start # 0
  /\ \E kind \in {"failed", "passed"} : Appended(Of(kind, 0))

Begin ==
  /\ ~reading
  /\ begun < StartMax
  /\ begun' = begun + 1
  /\ life' = "alive"
  /\ UNCHANGED <<log, lost, reading, folded, cursor, view, earlier, epoch>>

Leave ==
  /\ ~reading
  /\ life = "alive"
  /\ life' = "leaving"
  /\ UNCHANGED <<log, lost, reading, begun, folded, cursor, view, earlier, epoch>>

\* The log loses its newest records, once.
Truncate == \E length \in 0..(Len(log) - 1) :
  /\ epoch = "same"
  /\ log' = Prefix(log, length)
  /\ lost' = log
  /\ reading' = (FoldOf(log').start # 0)
  /\ epoch' = "changed"
  /\ UNCHANGED <<begun, life, folded, cursor, view, earlier>>

Recall ==
  /\ reading
  /\ reading' = FALSE
  /\ UNCHANGED <<log, lost, begun, life, folded, cursor, view, earlier, epoch>>

\* A node folds the next record, of the log or of a page that was read before the failover.
Fold(n) == \E from \in {log, lost} :
  /\ ~reading
  /\ IsPrefix(folded[n], from)
  /\ Len(folded[n]) < Len(from)
  /\ folded' = [folded EXCEPT ![n] = Prefix(from, Len(@) + 1)]
  /\ UNCHANGED <<log, lost, reading, begun, life, cursor, view, earlier, epoch>>

\* A node begins with a snapshot.
Load(n) == \E length \in 0..Len(log) :
  /\ ~reading
  /\ folded' = [folded EXCEPT ![n] = Prefix(log, length)]
  /\ UNCHANGED <<log, lost, reading, begun, life, cursor, view, earlier, epoch>>

Tell(n, c, v) ==
  /\ cursor' = [cursor EXCEPT ![c] = folded[n]]
  /\ view' = [view EXCEPT ![c] = v]
  /\ UNCHANGED <<log, lost, reading, begun, life, folded, earlier, epoch>>

\* What is new since a cursor, in its newest form. A cursor that is but an offset may be one of other records.
Delta(n, c) ==
  /\ ~reading
  /\ cursor[c] # Nowhere
  /\ IF Epochs THEN IsPrefix(cursor[c], folded[n]) ELSE Len(cursor[c]) <= Len(folded[n])
  /\ Newest(folded[n], Len(cursor[c])) > Len(cursor[c])
  /\ Tell(n, c, Shown(FoldOf(folded[n])))

\* Everything, to who knows nothing, or knows what was lost; then no earlier than up to what was not.
Snapshot(n, c) ==
  /\ ~reading
  /\ \/ cursor[c] = Nowhere
     \/ /\ Epochs
        /\ IsPrefix(folded[n], log)
        /\ ~IsPrefix(cursor[c], log)
        /\ Common(cursor[c], log) <= Len(folded[n])
  /\ Tell(n, c, Shown(FoldOf(folded[n])))

\* A cursor goes on where nothing was new.
Pass(n, c) ==
  /\ ~reading
  /\ cursor[c] # Nowhere
  /\ IF Epochs THEN IsPrefix(cursor[c], folded[n]) ELSE Len(cursor[c]) <= Len(folded[n])
  /\ Newest(folded[n], Len(cursor[c])) = Len(cursor[c])
  /\ Tell(n, c, view[c])

Next ==
  \/ Register \/ Deregister \/ Check \/ Begin \/ Leave \/ Truncate \/ Recall
  \/ \E n \in Node : Fold(n) \/ Load(n)
  \/ \E n \in Node, c \in Subscriber : Delta(n, c) \/ Snapshot(n, c) \/ Pass(n, c)

Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* The refinement.                                                         *)

\* Starts, relative to the instance.
Called(start) == IF start = 0 THEN "none" ELSE IF start = begun THEN "current" ELSE "old"

\* Positions, relative to the newest change.
Place(records) ==
  IF records = Nowhere THEN "none"
  ELSE IF ~IsPrefix(records, log) THEN "lost"
  ELSE IF Len(records) < Newest(log, 0) THEN "behind" ELSE "at"

\* The fold at somebody's position, if he has one.
Right(records) == IF records = Nowhere THEN None ELSE FoldOf(records)

\* What somebody holds, relative to the fold at his position.
Known(records, shown) ==
  IF shown = Shown(Right(records)) THEN Held(Right(records).start) ELSE "wrong"

R == INSTANCE Registry WITH
  Asks <- TRUE, Names <- TRUE, Lasts <- TRUE, Confirms <- TRUE, Probes <- TRUE, Resets <- TRUE, Keeps <- TRUE,
  Derives <- TRUE, Pure <- TRUE, Whole <- TRUE, Reloads <- TRUE, Epochs <- TRUE, Offsets <- TRUE, Onward <- TRUE,
  Buries <- TRUE, Replaces <- TRUE, Faults <- TRUE, Follows <- TRUE,
  listed <- Called(FoldOf(log).start),
  check <- IF reading THEN "lost" ELSE FoldOf(log).check,
  proof <- {},
  unfounded <- FALSE,
  applied <- [n \in Node |-> Place(folded[n])],
  catalog <- [n \in Node |-> Held(FoldOf(folded[n]).start)],
  cursor <- [c \in Subscriber |-> Place(cursor[c])],
  view <- [c \in Subscriber |-> Known(cursor[c], view[c])],
  wrongs <- {}

RegistrySpec == R!Spec

\* Each subscriber knows what the log says at its cursor.
CursorNeverSkips == \A c \in Subscriber : Known(cursor[c], view[c]) # "wrong"

=============================================================================
