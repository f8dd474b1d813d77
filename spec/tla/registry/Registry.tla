------------------------------ MODULE Registry ------------------------------
(***************************************************************************)
(* The contract of one place of one service, of nodes that list it, and of *)
(* subscribers that are told: what clients may rely on, whatever protocol  *)
(* keeps the registry.                                                     *)
(*                                                                         *)
(* At a place runs one start of an instance after another.  A log tells    *)
(* which of them is listed; nodes fold the log, and subscribers are told   *)
(* by nodes.  The log may be long, but one record in it matters: the       *)
(* newest change, which is the last that changed what subscribers are told *)
(* of this place.  A position in the log is behind it or at it (past it,   *)
(* too), and lost if the log lost what stood before it.  Starts are named  *)
(* relative to the instance: current is its newest one, and old any other. *)
(*                                                                         *)
(* What somebody holds is none or listed, as the log's fold says at his    *)
(* position, or wrong, if it is anything else: another start, health, or   *)
(* list.  So positions need no numbers, and lists no contents.             *)
(* Other stands for every node that is not looked at, and for what one     *)
(* that is sent before it last loaded a snapshot.                          *)
(*                                                                         *)
(* Left out: time (how long the critical interval is, how many removals a  *)
(* minute there are), connections, other services and places, and which of *)
(* two starts came first, which the log does not know: an old one may be   *)
(* registered late.  An instance may fail its check although it lives; so  *)
(* it may leave, and has to register again.                                *)
(*                                                                         *)
(* The judged reading.                                                     *)
(*   EqualOffsetEqualCatalog: each node holds the fold at its position, so *)
(*     two at one position hold the same.  Whole here, if the judge folds  *)
(*     the log itself, once, for all nodes.                                *)
(*   CursorNeverSkips: a subscriber holds the fold at its cursor.  Whole.  *)
(*   CursorNeverRepeats: nothing is told again of the newest change, and   *)
(*     no cursor goes back before it.  Beside the table the judge compares *)
(*     the offsets of each update, because two positions behind the newest *)
(*     change look alike here.                                             *)
(*   LiveInstanceStaysListed: a start that lives leaves only because it    *)
(*     asked, because its own check failed, or because another start is    *)
(*     registered at its place.  Whole, but for time: the judge says when  *)
(*     the critical interval is over, from what was probed.                *)
(*   DeregisterAffectsOnlyWhatItSaw: whole for one place.  That no other   *)
(*     place or service is touched the judge sees beside the table: a      *)
(*     record of one place is no step of another.                          *)
(*   ReadsArePure: no read takes anybody off the list.  Whole.             *)
(*                                                                         *)
(* Source: networknt light-controller (registrations, checks and pushes    *)
(* from one event log), with start ids, proofs of failure and cursors.     *)
(* Refined by: every judged run, place by place, node by node and          *)
(* subscriber by subscriber (RegistrySeat.tla says why that is enough).    *)
(* Effects write x' = x, because tla-checker 0.24.11 cannot substitute     *)
(* into UNCHANGED.                                                         *)
(*                                                                         *)
(* How a run becomes this.  The judge folds the log itself, once, by the   *)
(* rules in use, and keeps the fold at each position, of each epoch.       *)
(*   life       the world: which start runs at the place; leaving once it  *)
(*              has asked, until another one starts                        *)
(*   listed     the judge's fold at the log's end: the listing's start,    *)
(*              and whether it is the world's newest at that place         *)
(*   check      that listing's health: critical if it is failing; unknown  *)
(*              until a probe ends; none without a check                   *)
(*   proof      its failing: lasting if failing_for is above               *)
(*              deregister_after, confirmed if the witnesses suffice       *)
(*   unfounded  the world's probes of that start show less than proof says *)
(*   earlier    the judge's fold before the newest change, as it went      *)
(*   epoch      same in the log's first epoch                              *)
(*   applied    the catalog's position: lost if the log's lineage does not *)
(*              place it, behind if its offset is not beyond the newest    *)
(*              change, else at                                            *)
(*   catalog    the catalog's listing at the place, compared with the fold *)
(*              at that position                                           *)
(*   cursor     the view's cursor, as applied; forgotten if it is behind   *)
(*              and below the log's end less the tombstones kept           *)
(*   view       the view's instance at the place, compared with the fold   *)
(*              at the cursor                                              *)
(* A record that changes the fold is Register, Deregister (cause asked),   *)
(* Remove (failed), Read (stale), or what it makes of the check.  A probe  *)
(* that comes to nothing is NotProbed.  A page is Fold, a snapshot Load;   *)
(* the first update of a subscription is Reconnect, any other Push, by     *)
(* Other if its node has loaded a snapshot since.  A failover is Truncate  *)
(* if a change is lost, else TruncateAfter, and then Recall.               *)
(* A record that does two things is two steps.                             *)
(* The first guard that fails names the property: Asked, Lasting and       *)
(* Confirmed LiveInstanceStaysListed; Seen DeregisterAffectsOnlyWhatItSaw; *)
(* Ahead CursorNeverRepeats; Placed and Fits EqualOffsetEqualCatalog of a  *)
(* node, CursorNeverSkips of a subscriber; whoever takes somebody off by a *)
(* read ReadsArePure.  Started, Checked and Folded can only fail because a *)
(* run was misread.                                                        *)
(***************************************************************************)
EXTENDS Integers, FiniteSets

CONSTANTS
  Node,       \* the nodes that are looked at, a finite set
  Subscriber, \* the subscribers that are looked at, a finite set
  Other,      \* any node that is not, and any earlier load of one that is
  Asks,       \* FALSE plants: deregistrations that the instance did not ask for
  Names,      \* FALSE plants: a deregistration removes whatever start is listed
  Lasts,      \* FALSE plants: removals before the check failed for the whole critical interval
  Confirms,   \* FALSE plants: removals because of what one node alone saw
  Probes,     \* FALSE plants: what was not probed counts as a failure
  Resets,     \* FALSE plants: a start inherits what the check of an earlier one came to
  Keeps,      \* FALSE plants: a registration of what is listed already is news, and may begin its check anew
  Derives,    \* FALSE plants: a registration that brings no check; it is defined later, or never
  Pure,       \* FALSE plants: a read takes what it finds stale off the list
  Whole,      \* FALSE plants: a node leaves out a record that it folds
  Reloads,    \* FALSE plants: a node that holds what the log lost folds on
  Epochs,     \* FALSE plants: a subscriber that was told what the log lost is told what follows
  Offsets,    \* FALSE plants: a cursor passes a change that was not told
  Onward,     \* FALSE plants: a change is told again, or from further back
  Buries,     \* FALSE plants: who reconnects is not told of removals
  Replaces,   \* FALSE plants: who reconnects from below the horizon is told of changes only
  Faults,     \* FALSE leaves out that the log loses its end, old starts register late, and the gone pass probes
  Follows     \* FALSE leaves out what decides nothing where nothing is forbidden

ASSUME OtherIsOutside == Other \notin Node
ASSUME SwitchesAreBoolean ==
  {Asks, Names, Lasts, Confirms, Probes, Resets, Keeps, Derives, Pure, Whole, Reloads, Epochs, Offsets, Onward, Buries,
   Replaces, Faults, Follows} \subseteq BOOLEAN
ASSUME WhatDecidesIsFollowed ==
  Follows \/ ~(Asks \/ Names \/ Lasts \/ Confirms \/ Probes \/ Resets \/ Pure \/ Whole \/ Reloads \/ Epochs \/ Offsets
               \/ Onward \/ Buries \/ Replaces)

-----------------------------------------------------------------------------

VARIABLES
  life,      \* what the newest start of the instance does: it lives, asked to leave, or is dead
  listed,    \* which start the log lists at the place
  check,     \* what its check came to, as the log tells: critical if it fails; lost until it is read again
  proof,     \* what the log tells of a failing check: it lasts for the whole critical interval; two nodes saw it
  unfounded, \* the log tells more than was seen of this start
  earlier,   \* what stood in the list before the newest change
  epoch,     \* whether the log lost its end once: its epoch is the same, or changed
  applied,   \* the position of each node
  catalog,   \* what each node lists at the place
  cursor,    \* the position of each subscriber, if it has one
  view,      \* what each subscriber knows of the place
  wrongs     \* what was done wrong: for ever

vars == <<life, listed, check, proof, unfounded, earlier, epoch, applied, catalog, cursor, view, wrongs>>

\* The starts that a record can name.
Start == {"current", "old"}

\* What a removal needs, of a check that fails.
Proof == {"lasting", "confirmed"}

\* Where nodes stand.
Position == {"behind", "at", "lost"}

\* How far subscribers came. Removals after a forgotten cursor are remembered no more; none is the cursor of who starts.
Cursor == Position \cup {"none", "forgotten"}

\* What nodes and subscribers hold, relative to the fold at their position.
Contents == {"none", "listed", "wrong"}

\* Whoever can tell a subscriber, looked at or not.
Teller == Node \cup {Other}

TypeOK ==
  /\ life \in {"none", "alive", "leaving", "dead"}
  /\ listed \in Start \cup {"none"}
  /\ check \in {"none", "unknown", "passing", "critical", "lost"}
  /\ proof \subseteq Proof
  /\ proof # {} => check = "critical"
  /\ unfounded \in BOOLEAN
  /\ unfounded => check = "critical"
  /\ listed = "none" => check = "none"
  /\ (Derives /\ check = "none") => listed = "none"
  /\ earlier \subseteq {"none", "listed"}
  /\ epoch \in {"same", "changed"}
  /\ applied \in [Node -> Position]
  /\ catalog \in [Node -> Contents]
  /\ cursor \in [Subscriber -> Cursor]
  /\ view \in [Subscriber -> Contents]
  /\ \A c \in Subscriber : cursor[c] = "none" => view[c] = "none"
  /\ wrongs \subseteq {"live", "unseen", "read", "repeat"}

Init ==
  /\ life = "none"
  /\ listed = "none"
  /\ check = "none"
  /\ proof = {}
  /\ unfounded = FALSE
  /\ earlier = {}
  /\ epoch = "same"
  /\ applied = [n \in Node |-> "at"]
  /\ catalog = [n \in Node |-> "none"]
  /\ cursor = [c \in Subscriber |-> "none"]
  /\ view = [c \in Subscriber |-> "none"]
  /\ wrongs = {}

-----------------------------------------------------------------------------
(* Guards.                                                                 *)

\* The instance was started once.
Started == Follows => life # "none"

\* The start asked to leave. Of an old one this may have been long ago.
Asked(i) == i = "old" \/ life = "leaving"

\* The start that is named is the one that is listed.
Seen(i) == listed = i

\* The start that is listed is to be checked.
Checked == listed # "none" /\ check # "lost" /\ (Follows => check # "none")

\* The log tells that the check failed for the whole critical interval.
Lasting == "lasting" \in proof

\* The log tells that a second node saw it.
Confirmed == "confirmed" \in proof

\* All that and it is true.
Proven == Lasting /\ Confirmed /\ ~unfounded

\* The instance that runs is listed.
Live == listed = "current" /\ life = "alive"

\* What is known up to here was not lost.
Placed(where) == where # "lost"

\* Nobody tells what he has not folded. Of an outsider it is not known how far he is.
Folded(n, to) == (Follows /\ n \in Node /\ to \in {"at", "lost"}) => applied[n] = to

\* From the newest change nothing leads on, but to what the log lost.
Ahead(from, to) == from = "at" => to = "lost"

-----------------------------------------------------------------------------
(* Effects.                                                                *)

\* What stands in a list which lists that start.
Held(start) == IF start = "none" THEN "none" ELSE "listed"

\* What stood in the list before the newest change.
Earlier == IF Follows THEN earlier ELSE {"none", "listed"}

\* What the fold of the log may say at a position. What the log lost may be anything, once it lost something.
Fits(where) ==
  CASE where = "at" -> {Held(listed)}
    [] where = "none" -> {"none"}
    [] where = "lost" -> IF Follows /\ epoch = "same" THEN {} ELSE {"none", "listed"}
    [] OTHER -> Earlier

\* What somebody may hold there, who may make mistakes.
Holds(where, mistakes) == IF Fits(where) = {} THEN {} ELSE Fits(where) \cup mistakes

\* All that a check may come to.
Checks ==
  {<<"unknown", {}>>, <<"passing", {}>>}
    \cup {<<"critical", p>> : p \in SUBSET Proof}
    \cup (IF Derives THEN {} ELSE {<<"none", {}>>})

\* The newest change is another one: nobody is past it yet.
Changed ==
  /\ applied' = [n \in Node |-> IF applied[n] = "at" THEN "behind" ELSE applied[n]]
  /\ cursor' = [c \in Subscriber |-> IF cursor[c] = "at" THEN "behind" ELSE cursor[c]]
  /\ earlier' = IF Follows THEN earlier \cup {Held(listed)} ELSE earlier
  /\ epoch' = epoch

\* Subscribers are not told.
Unchanged == applied' = applied /\ cursor' = cursor /\ earlier' = earlier /\ epoch' = epoch

\* The log tells nothing new of the place.
SameLog == listed' = listed /\ check' = check /\ proof' = proof /\ unfounded' = unfounded /\ Unchanged

\* Nobody is listed at the place any more.
Gone == listed' = "none" /\ check' = "none" /\ proof' = {} /\ unfounded' = FALSE /\ Changed

\* The check begins to fail, or fails on.
Fails(p, invented) ==
  /\ check' = "critical"
  /\ proof' = p
  /\ unfounded' = (Follows /\ (unfounded \/ invented))
  /\ IF check = "critical" THEN Unchanged ELSE Changed

\* What is done wrong, if it is.
Wrong(what, done) == wrongs' = IF Follows /\ done THEN wrongs \cup {what} ELSE wrongs

\* What is remembered of the check of an earlier start. Where nobody is listed it is not known.
Ghosts == IF listed # "none" THEN {<<check, proof>>} ELSE IF "listed" \in Earlier THEN Checks ELSE {}

\* What a registered start begins with: check, proof, and whether that is unfounded.
Beginnings(i) ==
  {<<"unknown", {}, FALSE>>}
    \cup (IF Derives THEN {} ELSE {<<"none", {}, FALSE>>})
    \cup (IF Resets \/ listed = i THEN {} ELSE {<<k[1], k[2], Follows /\ k[1] = "critical">> : k \in Ghosts})
    \cup (IF ~Keeps /\ listed = i THEN {<<check, proof, unfounded>>} ELSE {})

-----------------------------------------------------------------------------
(* Log: what becomes of the place when a record is taken in.  A record     *)
(* that changes nothing is no step; one that does two things is two steps. *)

\* A start is registered. If it is listed already, nothing changes: what was seen of it counts on.
Register(i) ==
  /\ Started
  /\ Faults \/ i = "current"
  /\ IF Keeps /\ listed = i
     THEN SameLog
     ELSE /\ listed' = i
          /\ \E b \in Beginnings(i) : check' = b[1] /\ proof' = b[2] /\ unfounded' = b[3]
          /\ Changed
  /\ life' = life
  /\ catalog' = catalog
  /\ view' = view
  /\ wrongs' = wrongs

\* The check that a registration did not bring.
Define ==
  /\ ~Derives
  /\ listed # "none"
  /\ check = "none"
  /\ check' = "unknown"
  /\ listed' = listed
  /\ proof' = proof
  /\ unfounded' = unfounded
  /\ Unchanged
  /\ life' = life
  /\ catalog' = catalog
  /\ view' = view
  /\ wrongs' = wrongs

\* A start is deregistered at its own wish.
Deregister(i) ==
  /\ Started
  /\ listed # "none"
  /\ Asks => Asked(i)
  /\ Names => Seen(i)
  /\ Gone
  /\ life' = life
  /\ catalog' = catalog
  /\ view' = view
  /\ wrongs' = IF Follows
               THEN wrongs \cup (IF Seen(i) THEN {} ELSE {"unseen"}) \cup (IF Live /\ ~Asked(i) THEN {"live"} ELSE {})
               ELSE wrongs

\* A start is deregistered because its check fails.
Remove(i) ==
  /\ listed # "none"
  /\ Names => Seen(i)
  /\ Lasts => Lasting
  /\ Confirms => Confirmed
  /\ Gone
  /\ life' = life
  /\ catalog' = catalog
  /\ view' = view
  /\ wrongs' = IF Follows
               THEN wrongs \cup (IF Seen(i) THEN {} ELSE {"unseen"}) \cup (IF Live /\ ~Proven THEN {"live"} ELSE {})
               ELSE wrongs

\* A probe passes. Who was not critical before causes no news.
Pass ==
  /\ Checked
  /\ Faults \/ life = "alive"
  /\ check' = "passing"
  /\ proof' = {}
  /\ unfounded' = FALSE
  /\ IF check = "critical" THEN Changed ELSE Unchanged
  /\ listed' = listed
  /\ life' = life
  /\ catalog' = catalog
  /\ view' = view
  /\ wrongs' = wrongs

\* A probe fails: the instance is critical at once.
Fail ==
  /\ Checked
  /\ check # "critical"
  /\ Fails({}, FALSE)
  /\ listed' = listed
  /\ life' = life
  /\ catalog' = catalog
  /\ view' = view
  /\ wrongs' = wrongs

\* Probes have failed for the whole critical interval.
Last ==
  /\ check = "critical"
  /\ ~Lasting
  /\ Fails(proof \cup {"lasting"}, FALSE)
  /\ listed' = listed
  /\ life' = life
  /\ catalog' = catalog
  /\ view' = view
  /\ wrongs' = wrongs

\* A second node saw the check fail.
Confirm ==
  /\ check = "critical"
  /\ ~Confirmed
  /\ Fails(proof \cup {"confirmed"}, FALSE)
  /\ listed' = listed
  /\ life' = life
  /\ catalog' = catalog
  /\ view' = view
  /\ wrongs' = wrongs

\* A probe was due, and nobody could probe. So nothing is known.
NotProbed ==
  /\ Checked
  /\ \E counts \in (IF Probes THEN {FALSE} ELSE BOOLEAN) :
       IF counts THEN listed' = listed /\ Fails(Proof, ~Proven) ELSE SameLog
  /\ life' = life
  /\ catalog' = catalog
  /\ view' = view
  /\ wrongs' = wrongs

-----------------------------------------------------------------------------
(* Nodes.                                                                  *)

\* A node goes on folding. What it reads may have been lost meanwhile; then only a snapshot helps.
Fold(n) ==
  /\ \E to \in Position :
       /\ to # "lost" => applied[n] # "at"
       /\ (Reloads /\ to # "lost") => Placed(applied[n])
       /\ applied' = [applied EXCEPT ![n] = to]
       /\ \E h \in Holds(to, IF Whole /\ (to = "lost" \/ Placed(applied[n])) THEN {} ELSE {"wrong"}) :
            catalog' = [catalog EXCEPT ![n] = h]
  /\ cursor' = cursor
  /\ earlier' = earlier
  /\ epoch' = epoch
  /\ listed' = listed
  /\ check' = check
  /\ proof' = proof
  /\ unfounded' = unfounded
  /\ life' = life
  /\ view' = view
  /\ wrongs' = wrongs

\* A node begins with a snapshot, as after a restart; with an empty one at the begin of the log.
Load(n) ==
  /\ \E to \in {"behind", "at"} :
       /\ applied' = [applied EXCEPT ![n] = to]
       /\ \E h \in Holds(to, IF Follows THEN {} ELSE {"wrong"}) : catalog' = [catalog EXCEPT ![n] = h]
  /\ cursor' = cursor
  /\ earlier' = earlier
  /\ epoch' = epoch
  /\ listed' = listed
  /\ check' = check
  /\ proof' = proof
  /\ unfounded' = unfounded
  /\ life' = life
  /\ view' = view
  /\ wrongs' = wrongs

\* A node finds somebody in its list.
Finds(n) == Follows => catalog[n] = "listed"

\* Somebody looks the service up at a node, and nothing changes.
Read(n) ==
  /\ \E takes \in (IF Pure \/ listed = "none" \/ ~Finds(n) THEN {FALSE} ELSE BOOLEAN) :
       /\ IF takes THEN Gone ELSE SameLog
       /\ Wrong("read", takes)
  /\ life' = life
  /\ catalog' = catalog
  /\ view' = view

-----------------------------------------------------------------------------
(* Subscribers.                                                            *)

\* Subscriber c is told something new, and knows v from then on.
Told(c, to, v) ==
  /\ cursor' = [cursor EXCEPT ![c] = to]
  /\ view' = [view EXCEPT ![c] = v]
  /\ Wrong("repeat", ~Ahead(cursor[c], to))

\* A cursor goes on, if there is anything to tell.
Goes(c, to) == (Onward \/ (Follows /\ earlier = {})) => Ahead(cursor[c], to)

\* What a push may get wrong: a change that the cursor passes, or what stands where the log lost something else.
PushMistakes(c, to) ==
  IF \/ ~Follows
     \/ ~Offsets /\ cursor[c] = "behind"
     \/ ~Placed(cursor[c]) /\ to # "lost"
  THEN {"wrong"} ELSE {}

\* The newest change is a removal, and it may be missing.
MayMiss(c, to) == view[c] # "none" /\ to = "at" /\ listed = "none"

\* What an answer to a cursor may get wrong.
AnswerMistakes(c, to) ==
  IF \/ ~Follows
     \/ ~Offsets /\ cursor[c] = "behind"
     \/ ~Epochs /\ ~Placed(cursor[c])
     \/ ~Buries /\ MayMiss(c, to)
     \/ ~Replaces /\ cursor[c] = "forgotten" /\ MayMiss(c, to)
  THEN {"wrong"} ELSE {}

\* A node that folds a change tells a subscriber, from the cursor on. It never replaces what was known.
Push(n, c) ==
  /\ Follows => cursor[c] # "none" /\ earlier # {}
  /\ \E to \in Position :
       /\ Folded(n, to)
       /\ Goes(c, to)
       /\ (Epochs /\ to # "lost") => Placed(cursor[c])
       /\ \E v \in Holds(to, PushMistakes(c, to)) : Told(c, to, v)
  /\ applied' = applied
  /\ catalog' = catalog
  /\ earlier' = earlier
  /\ epoch' = epoch
  /\ listed' = listed
  /\ check' = check
  /\ proof' = proof
  /\ unfounded' = unfounded
  /\ life' = life

\* A subscriber connects and names its cursor, if it has one; a node tells what followed, or replaces what was known.
Reconnect(n, c) ==
  /\ \E to \in Position :
       /\ Folded(n, to)
       /\ Goes(c, to)
       /\ \E v \in Holds(to, AnswerMistakes(c, to)) : Told(c, to, v)
  /\ applied' = applied
  /\ catalog' = catalog
  /\ earlier' = earlier
  /\ epoch' = epoch
  /\ listed' = listed
  /\ check' = check
  /\ proof' = proof
  /\ unfounded' = unfounded
  /\ life' = life

\* A subscriber starts anew, and knows nothing.
Forget(c) ==
  /\ cursor' = [cursor EXCEPT ![c] = "none"]
  /\ view' = [view EXCEPT ![c] = "none"]
  /\ applied' = applied
  /\ catalog' = catalog
  /\ earlier' = earlier
  /\ epoch' = epoch
  /\ listed' = listed
  /\ check' = check
  /\ proof' = proof
  /\ unfounded' = unfounded
  /\ life' = life
  /\ wrongs' = wrongs

-----------------------------------------------------------------------------
(* Environment: the instance, and the log's replicas.                      *)

\* The instance starts, with a start id of its own: what was current is old.
Begin ==
  /\ life' = IF Follows THEN "alive" ELSE life
  /\ listed' = IF listed = "current" THEN "old" ELSE listed
  /\ check' = check
  /\ proof' = proof
  /\ unfounded' = unfounded
  /\ Unchanged
  /\ catalog' = catalog
  /\ view' = view
  /\ wrongs' = wrongs

\* The instance asks to be deregistered.
Leave ==
  /\ Follows => life = "alive"
  /\ life' = IF Follows THEN "leaving" ELSE life
  /\ SameLog
  /\ catalog' = catalog
  /\ view' = view
  /\ wrongs' = wrongs

\* The instance dies.
Die ==
  /\ Follows => life = "alive"
  /\ life' = IF Follows THEN "dead" ELSE life
  /\ SameLog
  /\ catalog' = catalog
  /\ view' = view
  /\ wrongs' = wrongs

\* Removals are remembered no more that some subscribers were not told of.
Compact ==
  /\ \E some \in (SUBSET {c \in Subscriber : cursor[c] = "behind"}) \ {{}} :
       cursor' = [c \in Subscriber |-> IF c \in some THEN "forgotten" ELSE cursor[c]]
  /\ applied' = applied
  /\ catalog' = catalog
  /\ earlier' = earlier
  /\ epoch' = epoch
  /\ listed' = listed
  /\ check' = check
  /\ proof' = proof
  /\ unfounded' = unfounded
  /\ life' = life
  /\ view' = view
  /\ wrongs' = wrongs

\* Where a position lies, if the log lost its end but not the newest change.
Kept(where) == IF where = "at" THEN {"at", "lost"} ELSE {where}

\* Where a position lies, if the log lost the newest change, and an older one is the newest, which listed that start.
Cut(where, holds, start) ==
  CASE where = "at" -> {"lost"}
    [] where \in {"behind", "forgotten"} ->
         {where, "behind", "lost"} \cup (IF holds \in {Held(start), "wrong"} THEN {"at"} ELSE {})
    [] OTHER -> {where}

\* An unclean failover: the log lost its end, but no change of the place; of its check
\* perhaps something.
TruncateAfter ==
  /\ Faults
  /\ epoch' = IF Follows THEN "changed" ELSE epoch
  /\ earlier' = earlier
  /\ applied' \in {f \in [Node -> Position] : \A n \in Node : f[n] \in Kept(applied[n])}
  /\ cursor' \in {f \in [Subscriber -> Cursor] : \A c \in Subscriber : f[c] \in Kept(cursor[c])}
  /\ listed' = listed
  /\ check' = IF listed = "none" THEN "none" ELSE "lost"
  /\ proof' = {}
  /\ unfounded' = FALSE
  /\ life' = life
  /\ catalog' = catalog
  /\ view' = view
  /\ wrongs' = wrongs

\* An unclean failover: the log lost changes of the place, and lists what it listed before.
Truncate ==
  /\ Faults
  /\ epoch' = IF Follows THEN "changed" ELSE epoch
  /\ earlier' = earlier
  /\ \E l \in {past \in Start \cup {"none"} : Held(past) \in Earlier} :
       /\ listed' = l
       /\ check' = IF l = "none" THEN "none" ELSE "lost"
       /\ applied' \in {f \in [Node -> Position] : \A n \in Node : f[n] \in Cut(applied[n], catalog[n], l)}
       /\ cursor' \in {f \in [Subscriber -> Cursor] : \A c \in Subscriber : f[c] \in Cut(cursor[c], view[c], l)}
  /\ proof' = {}
  /\ unfounded' = FALSE
  /\ life' = life
  /\ catalog' = catalog
  /\ view' = view
  /\ wrongs' = wrongs

\* What the log said of the check before it lost its end is read. Only thereby a failover is over.
Recall ==
  /\ check = "lost"
  /\ \E k \in Checks : check' = k[1] /\ proof' = k[2]
  /\ Unchanged
  /\ listed' = listed
  /\ unfounded' = unfounded
  /\ life' = life
  /\ catalog' = catalog
  /\ view' = view
  /\ wrongs' = wrongs

\* What a node outside tells somebody.
Elsewhere(c) == Push(Other, c) \/ Reconnect(Other, c)

-----------------------------------------------------------------------------

Probing == Define \/ Pass \/ Fail \/ Last \/ Confirm \/ NotProbed

Log == Probing \/ \E i \in Start : Register(i) \/ Deregister(i) \/ Remove(i)

System(n) == Fold(n) \/ Load(n) \/ Read(n)

Tells(n, c) == Push(n, c) \/ Reconnect(n, c)

Failover == TruncateAfter \/ Truncate \/ Recall

Environment == Begin \/ Leave \/ Die \/ Compact \/ Failover \/ \E c \in Subscriber : Forget(c)

Inside == Log \/ Environment \/ (\E n \in Node : System(n)) \/ (\E n \in Node, c \in Subscriber : Tells(n, c))

Next == Inside \/ \E c \in Subscriber : Elsewhere(c)

\* No fairness: the contract says what must not happen.  That subscribers
\* are told, and that the dead leave, is judged on its own, in time;
\* LiveRegistry.tla says what it takes.
Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Safety.                                                                 *)

\* Each node lists what the log says at its position, so two nodes at one position list the same.
EqualOffsetEqualCatalog == \A n \in Node : catalog[n] \in Fits(applied[n])

\* Each subscriber knows what the log says at its cursor.
CursorNeverSkips == \A c \in Subscriber : view[c] \in Fits(cursor[c])

\* No subscriber is told twice of a change.
CursorNeverRepeats == "repeat" \notin wrongs

\* A start that lives leaves only at its own wish, or because its own check failed for the whole critical interval, as
\* two nodes saw.
LiveInstanceStaysListed == "live" \notin wrongs

\* A deregistration removes only the start that it names.
DeregisterAffectsOnlyWhatItSaw == "unseen" \notin wrongs

\* Who looks changes nothing.
ReadsArePure == "read" \notin wrongs

=============================================================================
