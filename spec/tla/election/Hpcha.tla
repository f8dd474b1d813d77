------------------------------- MODULE Hpcha -------------------------------
(***************************************************************************)
(* The election of the HPC Pack HA README as it was specified there,       *)
(* modelled anew: no clocks, no table, no messages.  It shows what such a  *)
(* model can say, and what it cannot: whoever is elected stays so until it *)
(* crashes, so that LeaderLost is never possible and a lease is never      *)
(* lost by somebody who lives.                                             *)
(*                                                                         *)
(* Left out: time, hence the whole question of a lease; loss; everything   *)
(* that Lease.tla is about.  A crash and the expiry of what the server     *)
(* held are one step; a server that comes back is a new one under the same *)
(* name.                                                                   *)
(*                                                                         *)
(* Closed form, for n servers: (n + 1) * 2^n distinct states, 1 + n *      *)
(* 2^(n-1) * (4 n + 5) generated ones, depth n + 3.                        *)
(*                                                                         *)
(* Source: hpcha.tla of the HPC Pack HA module (shape and numbers).        *)
(***************************************************************************)
EXTENDS Integers, FiniteSets

CONSTANTS
  Server,   \* the servers, a finite set
  Nobody,   \* leader while there is none
  Lasts     \* FALSE plants: the heartbeats of an elected server stop, although it lives

ASSUME NobodyIsNoServer == Nobody \notin Server
ASSUME SwitchIsBoolean == Lasts \in BOOLEAN

-----------------------------------------------------------------------------

VARIABLES
  beats,    \* servers whose heartbeats arrive
  leader,   \* who is elected
  works     \* servers that have stepped up

vars == <<beats, leader, works>>

TypeOK ==
  /\ beats \subseteq Server
  /\ leader \in Server \cup {Nobody}
  /\ works \subseteq Server

Init ==
  /\ beats = {}
  /\ leader = Nobody
  /\ works = {}

-----------------------------------------------------------------------------
(* System.                                                                 *)

\* Step 2 of the README: a server begins to ask, and can be elected.
StartHeartBeat(s) ==
  /\ s \notin beats
  /\ beats' = beats \cup {s}
  /\ leader' = leader
  /\ works' = works

\* Step 3: nobody is there, and s is first.
LeaderElected(s) ==
  /\ leader = Nobody
  /\ s \in beats
  /\ leader' = s
  /\ beats' = beats
  /\ works' = works

\* Step 4: s finds itself elected, and works; it may find so again.
StepUp(s) ==
  /\ leader = s
  /\ s \in beats
  /\ works' = works \cup {s}
  /\ beats' = beats
  /\ leader' = leader

\* The term of a server that lives is over, since its heartbeats stopped.
LeaderLost(s) ==
  /\ leader = s
  /\ s \notin beats
  /\ leader' = Nobody
  /\ beats' = beats
  /\ works' = works

-----------------------------------------------------------------------------
(* Faults.                                                                 *)

\* The heartbeats of s stop, although it lives.
StopHeartBeat(s) ==
  /\ s \in beats
  /\ Lasts => leader # s
  /\ beats' = beats \ {s}
  /\ leader' = leader
  /\ works' = works

\* s is gone, with all that it held.
Crash(s) ==
  /\ beats' = beats \ {s}
  /\ leader' = IF leader = s THEN Nobody ELSE leader
  /\ works' = works \ {s}

-----------------------------------------------------------------------------

System(s) == StartHeartBeat(s) \/ LeaderElected(s) \/ StepUp(s) \/ LeaderLost(s)

Faults(s) == StopHeartBeat(s) \/ Crash(s)

Next == \E s \in Server : System(s) \/ Faults(s)

\* No fairness: only safety is asked for here; progress in LiveHpcha.tla.
Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Safety.                                                                 *)

\* At most one server works.
SingleLeaderStepUp == Cardinality(works) <= 1

\* Who works is elected.
OnlyTheElectedWork == \A s \in works : leader = s

=============================================================================
