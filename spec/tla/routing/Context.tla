------------------------------ MODULE Context ------------------------------
(***************************************************************************)
(* The contract of one context and of its marked write, the newest one     *)
(* that its row has taken: what clients may rely on, whatever protocol     *)
(* routes them to the context's servers.                                   *)
(*                                                                         *)
(* A row names a main and a backup server and counts epochs.  Ownership is *)
(* an epoch that the store granted to the main; it matters only relative   *)
(* to the row's, and three words are enough for it: none, open (the row's  *)
(* own), fenced (an older one).  A server keeps the context in a cache and *)
(* answers reads from there; a cache is stale when it lacks a write that a *)
(* client was told is done.                                                *)
(*                                                                         *)
(* Left out: time, messages, numbers, what is written, and who asks.       *)
(* Disturbed time appears as one bit, doubted: the server is paused, or    *)
(* its clock is out of its bound.  What a doubted server believes, and     *)
(* answers from its cache, is not owed; what the store does is judged as   *)
(* ever.                                                                   *)
(*                                                                         *)
(* Source: Apache Linkis Context Service HA (main, backup, who serves),    *)
(* with ownership as a row with an epoch, after Gray and Cheriton 1989.    *)
(* Refined by: every judged run, seat by seat (Seat.tla says why that is   *)
(* enough).  Effects write x' = x, because tla-checker 0.24.11 cannot      *)
(* substitute into UNCHANGED.                                              *)
(***************************************************************************)
EXTENDS Integers, FiniteSets

CONSTANTS
  Server,   \* the servers that are looked at, a finite set
  Other,    \* any server that is not
  Nobody,   \* main and backup before there is a row; who wrote, before somebody did
  Homes,    \* FALSE plants: a row that exists is created once more, in the same epoch
  Names,    \* FALSE plants: servers that the row does not name take over and serve
  Waits,    \* FALSE plants: the backup takes over although the main's heartbeat is not expired
  Owns,     \* FALSE plants: writes, loads and repairs by servers that own nothing
  Fresh,    \* FALSE plants: reads are answered from a stale cache
  Keeps,    \* FALSE plants: an older state overwrites an acknowledged write
  Follows   \* FALSE leaves out expired, doubted and what was done wrong; they decide nothing where nothing is forbidden

ASSUME OthersAreOutside == {Other, Nobody} \cap Server = {} /\ Other # Nobody
ASSUME SwitchesAreBoolean == {Homes, Names, Waits, Owns, Fresh, Keeps, Follows} \subseteq BOOLEAN
ASSUME WhatDecidesIsFollowed == Follows \/ ~(Homes \/ Names \/ Waits \/ Owns \/ Fresh \/ Keeps)

-----------------------------------------------------------------------------

VARIABLES
  main,     \* whom the row names to serve the context
  backup,   \* whom the row names to take over; the main itself where there is one server only
  expired,  \* the heartbeat row of the main is expired
  token,    \* the epoch of each server, relative to the row
  cache,    \* what each server would answer a read from
  doubted,  \* servers whose time is disturbed: what they believe is not owed
  write,    \* how far the marked write has come
  wrote,    \* whose write was the first one of the row's epoch
  split,    \* writes of two servers were accepted in one epoch: effect, for ever
  wrongs    \* what else was done wrong: effect, for ever

vars == <<main, backup, expired, token, cache, doubted, write, wrote, split, wrongs>>

Epoch == {"none", "open", "fenced"}

Contents == {"none", "current", "stale"}

\* Whoever can be named, looked at or not.
Place == Server \cup {Other}

TypeOK ==
  /\ main \in Place \cup {Nobody}
  /\ backup \in Place \cup {Nobody}
  /\ (main = Nobody) <=> (backup = Nobody)
  /\ expired \in BOOLEAN
  /\ token \in [Server -> Epoch]
  /\ cache \in [Server -> Contents]
  /\ doubted \subseteq Server
  /\ write \in {"none", "applied", "acked", "lost"}
  /\ wrote \in Place \cup {Nobody}
  /\ split \in BOOLEAN
  /\ wrongs \subseteq {"haste", "stranger", "stale"}

Init ==
  /\ main = Nobody
  /\ backup = Nobody
  /\ expired = FALSE
  /\ token = [s \in Server |-> "none"]
  /\ cache = [s \in Server |-> "none"]
  /\ doubted = {}
  /\ write = "none"
  /\ wrote = Nobody
  /\ split = FALSE
  /\ wrongs = {}

-----------------------------------------------------------------------------

\* m is named main and holds the row's epoch. Of an outsider only its name is known.
Owner(m) == main = m /\ (m \in Server => token[m] = "open")

\* m is one of the two whom the row names.
Named(m) == m \in {main, backup}

\* The store hands m a new epoch, above all earlier ones; nobody on the inside, when m is outside.
NewEpoch(m) ==
  /\ token' = [s \in Server |-> IF s = m THEN "open" ELSE IF token[s] = "open" THEN "fenced" ELSE token[s]]
  /\ wrote' = Nobody

\* The heartbeat row that counts is another server's now.
Expiry == expired' \in (IF Follows THEN BOOLEAN ELSE {FALSE})

\* Something wrong was done, if it was.
Wrong(what, done) == wrongs' = IF Follows /\ done THEN wrongs \cup {what} ELSE wrongs

\* Of the caches that hold everything, those in F lack the write that a client is told of by m. A cache holds it although
\* m wrote it, when it was filled from the row by the next owner, or in doubt.
Lack(F, m) ==
  /\ F \subseteq {s \in Server \ {m} : cache[s] = "current"}
  /\ (Owns /\ write = "applied") => {s \in Server \ {m} : cache[s] = "current" /\ ~Owner(s) /\ s \notin doubted} \subseteq F

-----------------------------------------------------------------------------
(* Store: the row.  Each step is taken by m, which may be outside.         *)

\* The row appears, named after whom the context was created at, or by whom it was adopted first. Where it is not
\* inserted only if absent (~Homes), it replaces the owner, whose token stays open.
Create(m) ==
  /\ Homes => main = Nobody
  /\ main' = m
  /\ \E n \in Place : backup' = n
  /\ token' = [s \in Server |-> IF s = m THEN "open" ELSE token[s]]
  /\ wrote' = wrote
  /\ Expiry
  /\ cache' = cache
  /\ doubted' = doubted
  /\ write' = write
  /\ split' = split
  /\ wrongs' = wrongs

\* The main owns its context anew, as after a restart. One that is granted it once more may keep its epoch.
Grant(m) ==
  /\ main # Nobody
  /\ Owns => main = m
  /\ \/ NewEpoch(m)
     \/ Owner(m) /\ token' = token /\ wrote' = wrote
  /\ main' = main
  /\ backup' = backup
  /\ expired' = expired
  /\ cache' = cache
  /\ doubted' = doubted
  /\ write' = write
  /\ split' = split
  /\ wrongs' = wrongs

\* The backup becomes main, in the transaction that sees the main's heartbeat row expired.
Take(m) ==
  /\ main # Nobody
  /\ Names => backup = m /\ (m \in Server => main # m)
  /\ Waits => expired
  /\ main' = m
  /\ \E n \in Place : (Names /\ m \in Server => n # m) /\ backup' = n
  /\ NewEpoch(m)
  /\ Expiry
  /\ cache' = cache
  /\ doubted' = doubted
  /\ write' = write
  /\ split' = split
  /\ wrongs' = IF Follows
               THEN wrongs \cup (IF expired THEN {} ELSE {"haste"}) \cup (IF Named(m) THEN {} ELSE {"stranger"})
               ELSE wrongs

\* The owner hands the context over to the backup, once it keeps nothing of it. The new epoch is granted to nobody yet.
Give(m) ==
  /\ main = m
  /\ Owns => Owner(m)
  /\ (Owns /\ m \in Server) => cache[m] = "none"
  /\ m \in Server => backup # m
  /\ main' = backup
  /\ backup' = m
  /\ token' = [s \in Server |-> IF token[s] = "open" THEN "fenced" ELSE token[s]]
  /\ wrote' = Nobody
  /\ Expiry
  /\ cache' = cache
  /\ doubted' = doubted
  /\ write' = write
  /\ split' = split
  /\ wrongs' = wrongs

\* The owner names another backup, in the same epoch; itself only if it finds nobody else, as before.
Repair(m) ==
  /\ main # Nobody
  /\ Owns => Owner(m)
  /\ \E n \in Place : (Names /\ m \in Server => n # m \/ backup = m) /\ backup' = n
  /\ main' = main
  /\ expired' = expired
  /\ token' = token
  /\ cache' = cache
  /\ doubted' = doubted
  /\ write' = write
  /\ wrote' = wrote
  /\ split' = split
  /\ wrongs' = wrongs

\* The store accepts a write of m. It is the marked one from now on; or it has no effect of its own, being repeated; or
\* it covers one that no client was told of. An older state may cover one that a client was told of (~Keeps).
Apply(m) ==
  /\ Owns => Owner(m)
  /\ \/ write' \in {"applied", write}
     \/ write = "applied" /\ write' = "none"
     \/ ~Keeps /\ write = "acked" /\ write' = "lost"
  /\ wrote' = IF wrote = Nobody /\ Follows THEN m ELSE wrote
  /\ split' = (split \/ wrote \notin {m, Nobody})
  /\ main' = main
  /\ backup' = backup
  /\ expired' = expired
  /\ token' = token
  /\ cache' = cache
  /\ doubted' = doubted
  /\ wrongs' = wrongs

-----------------------------------------------------------------------------
(* Servers: caches and clients.                                            *)

\* A server fills its cache from the row. A doubted one may not have noticed how old the answer is.
Load(s) ==
  /\ Owns => Owner(s) \/ s \in doubted
  /\ \E c \in {"current", "stale"} :
       /\ (Owns /\ s \notin doubted) => c = "current"
       /\ cache' = [cache EXCEPT ![s] = c]
  /\ main' = main
  /\ backup' = backup
  /\ expired' = expired
  /\ token' = token
  /\ doubted' = doubted
  /\ write' = write
  /\ wrote' = wrote
  /\ split' = split
  /\ wrongs' = wrongs

\* What m may keep in its cache, when it tells a client that the write is done. Who owns the context no more tells so all
\* the same, since the write is in the row, but others may have written after it.
Keepable(m) ==
  {"none"}
    \cup (IF ~Owns \/ Owner(m) \/ m \in doubted \/ (write = "acked" /\ cache[m] = "current") THEN {"current"} ELSE {})
    \cup (IF ~Owns \/ cache[m] # "none" THEN {"stale"} ELSE {})

\* Server m tells a client that the marked write is done, as it may do again. Without the row's protection (~Keeps) it
\* may be gone by then.
Ack(m) ==
  /\ Keeps => write \in {"applied", "acked"}
  /\ write' = IF write \in {"applied", "acked"} THEN "acked" ELSE "lost"
  /\ \E F \in SUBSET Server :
       /\ Lack(F, m)
       /\ \E c \in (IF m \in Server THEN Keepable(m) ELSE {"none"}) :
            cache' = [s \in Server |-> IF s = m THEN c ELSE IF s \in F THEN "stale" ELSE cache[s]]
  /\ main' = main
  /\ backup' = backup
  /\ expired' = expired
  /\ token' = token
  /\ doubted' = doubted
  /\ wrote' = wrote
  /\ split' = split
  /\ wrongs' = wrongs

\* A server answers a read from its cache.
Read(s) ==
  /\ cache[s] # "none"
  /\ Fresh => cache[s] = "current" \/ s \in doubted
  /\ Names => Named(s) \/ s \in doubted
  /\ wrongs' = IF Follows /\ s \notin doubted
               THEN wrongs \cup (IF cache[s] = "stale" THEN {"stale"} ELSE {})
                           \cup (IF Named(s) THEN {} ELSE {"stranger"})
               ELSE wrongs
  /\ main' = main
  /\ backup' = backup
  /\ expired' = expired
  /\ token' = token
  /\ cache' = cache
  /\ doubted' = doubted
  /\ write' = write
  /\ wrote' = wrote
  /\ split' = split

\* A server drops its cache, or all it has: its term is over, it hands over, it crashes. A write under way can still land.
Forget(s) ==
  /\ cache' = [cache EXCEPT ![s] = "none"]
  /\ main' = main
  /\ backup' = backup
  /\ expired' = expired
  /\ token' = token
  /\ doubted' = doubted
  /\ write' = write
  /\ wrote' = wrote
  /\ split' = split
  /\ wrongs' = wrongs

-----------------------------------------------------------------------------
(* Environment.                                                            *)

\* A pause begins, or a clock leaves its bound.
Doubt(s) ==
  /\ Follows => s \notin doubted
  /\ doubted' = IF Follows THEN doubted \cup {s} ELSE doubted
  /\ main' = main
  /\ backup' = backup
  /\ expired' = expired
  /\ token' = token
  /\ cache' = cache
  /\ write' = write
  /\ wrote' = wrote
  /\ split' = split
  /\ wrongs' = wrongs

\* The disturbance is over, and so is the error that it excused: nothing stale is kept.
Trust(s) ==
  /\ Follows => s \in doubted
  /\ Fresh => cache[s] # "stale"
  /\ doubted' = doubted \ {s}
  /\ main' = main
  /\ backup' = backup
  /\ expired' = expired
  /\ token' = token
  /\ cache' = cache
  /\ write' = write
  /\ wrote' = wrote
  /\ split' = split
  /\ wrongs' = wrongs

\* The main's heartbeat row expires.
Expire ==
  /\ main # Nobody
  /\ ~expired
  /\ expired' = Follows
  /\ main' = main
  /\ backup' = backup
  /\ token' = token
  /\ cache' = cache
  /\ doubted' = doubted
  /\ write' = write
  /\ wrote' = wrote
  /\ split' = split
  /\ wrongs' = wrongs

\* The main is heard of again.
Renew ==
  /\ main # Nobody
  /\ Follows => expired
  /\ expired' = FALSE
  /\ main' = main
  /\ backup' = backup
  /\ token' = token
  /\ cache' = cache
  /\ doubted' = doubted
  /\ write' = write
  /\ wrote' = wrote
  /\ split' = split
  /\ wrongs' = wrongs

\* What a server outside does to the row, or tells a client.
Elsewhere ==
  Create(Other) \/ Grant(Other) \/ Take(Other) \/ Give(Other) \/ Repair(Other) \/ Apply(Other) \/ Ack(Other)

-----------------------------------------------------------------------------

Store(s) == Create(s) \/ Grant(s) \/ Take(s) \/ Give(s) \/ Repair(s) \/ Apply(s)

System(s) == Load(s) \/ Ack(s) \/ Read(s) \/ Forget(s)

Environment(s) == Doubt(s) \/ Trust(s)

Next == Elsewhere \/ Expire \/ Renew \/ \E s \in Server : Store(s) \/ System(s) \/ Environment(s)

\* No fairness: the contract says what must not happen.  That requests
\* succeed at all is judged on its own, in time; LiveContext.tla says what
\* it takes.
Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Safety.                                                                 *)

\* In an epoch of the context, writes of one server alone are accepted.
OneOwnerPerEpoch == ~split

\* A write that a client was told of stays in the row.
NoLostAcknowledgedWrite == write # "lost"

\* A read that a trusted server answers shows every write that a client was told of.
NoStaleRead == "stale" \notin wrongs

\* Only the two servers that the row names take over, or answer reads while they are trusted.
OnlyNamedServersServe == "stranger" \notin wrongs

\* The backup takes over only after the main's heartbeat row has expired.
TakeWaitsForExpiry == "haste" \notin wrongs

=============================================================================
