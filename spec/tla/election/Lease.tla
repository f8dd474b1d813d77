------------------------------- MODULE Lease -------------------------------
(***************************************************************************)
(* The contract of one lease: what every observer may rely on, whatever    *)
(* protocol grants it.                                                     *)
(*                                                                         *)
(* An actor is one incarnation: a process that restarts comes back as      *)
(* another actor.  The store names an owner and hands it an epoch; the     *)
(* owner works as primary and sends operations, stamped with that epoch,   *)
(* to a resource.  The resource refuses an epoch below the highest it has  *)
(* accepted, so an epoch matters only relative to the resource, and three  *)
(* words are enough for it: none, open (not below), fenced (below).        *)
(*                                                                         *)
(* Left out: time, messages, the number of the epoch, the store's          *)
(* replicas.  Disturbed time appears as one bit, doubted: the actor is     *)
(* paused or suspended, or its clock or the store's is out of its bound.   *)
(* A doubted actor may err about itself; what it sends is judged as ever.  *)
(*                                                                         *)
(* Source: Gray and Cheriton 1989 (leases); the election of the HPC Pack   *)
(* HA README (who may work, and when).                                     *)
(* Refined by: every judged run, pair by pair (Pair.tla says why that is   *)
(* enough).  Effects write x' = x, because tla-checker 0.24.11 cannot      *)
(* substitute into UNCHANGED.                                              *)
(***************************************************************************)
EXTENDS Integers, FiniteSets

CONSTANTS
  Actor,    \* the incarnations, a finite set
  Nobody,   \* owner of a lease that is free
  Waits,    \* FALSE plants: the store grants although a rival still works
  Fences,   \* FALSE plants: the resource takes any epoch; grants may be late
  Owns      \* FALSE plants: an actor believes it is owner without being named

ASSUME NobodyIsNoActor == Nobody \notin Actor
ASSUME SwitchesAreBoolean == {Waits, Fences, Owns} \subseteq BOOLEAN

-----------------------------------------------------------------------------

VARIABLES
  owner,    \* whom the store names
  works,    \* actors that work as primary: belief
  doubted,  \* actors whose time is disturbed: what they believe is not owed
  token,    \* the epoch of each actor, relative to the resource
  stained   \* an older epoch was accepted after a newer one: effect, for ever

vars == <<owner, works, doubted, token, stained>>

Epoch == {"none", "open", "fenced"}

TypeOK ==
  /\ owner \in Actor \cup {Nobody}
  /\ works \subseteq Actor
  /\ doubted \subseteq Actor
  /\ token \in [Actor -> Epoch]
  /\ stained \in BOOLEAN

Init ==
  /\ owner = Nobody
  /\ works = {}
  /\ doubted = {}
  /\ token = [a \in Actor |-> "none"]
  /\ stained = FALSE

-----------------------------------------------------------------------------

\* Others that work and are trusted.
Rivals(a) == (works \ doubted) \ {a}

\* Others whose operations the resource would still accept.
Open(a) == {b \in Actor \ {a} : token[b] = "open"}

\* What an accepted operation of somebody newer does to the tokens in F.
Fence(F) == token' = [b \in Actor |-> IF b \in F THEN "fenced" ELSE token[b]]

-----------------------------------------------------------------------------
(* System: the store, the resource, the actors.                            *)

\* Store: names a new owner, with an epoch above all that the resource has
\* seen.  A store that was rolled back may hand out an older one (~Fences).
Grant(a) ==
  /\ Waits => a \notin works
  /\ Waits => Rivals(a) = {}
  /\ owner' = a
  /\ \E e \in {"open", "fenced"} : (Fences => e = "open") /\ token' = [token EXCEPT ![a] = e]
  /\ works' = works
  /\ doubted' = doubted
  /\ stained' = stained

\* Whose tokens an accepted operation of a may fence.  The owner has the
\* newest epoch: it fences all others, and nobody fences it.
MayFence(a, F) ==
  Fences => IF owner = a THEN F = Open(a) ELSE owner \notin F

\* Resource: an operation of a lands.  The first one of an epoch seals: from
\* then on nothing older is accepted.
Accept(a) ==
  /\ Fences => token[a] = "open"
  /\ \E F \in SUBSET Open(a) : MayFence(a, F) /\ Fence(F)
  /\ stained' = (stained \/ token[a] = "fenced")
  /\ owner' = owner
  /\ works' = works
  /\ doubted' = doubted

\* Resource: an operation lands of an actor outside this projection.
Elsewhere ==
  /\ \E F \in SUBSET {b \in Actor : token[b] = "open"} : F # {} /\ (Fences => owner \notin F) /\ Fence(F)
  /\ owner' = owner
  /\ works' = works
  /\ doubted' = doubted
  /\ stained' = stained

\* Store: the row is lost or given up, or granted outside this projection.
Leave ==
  /\ owner # Nobody
  /\ owner' = Nobody
  /\ works' = works
  /\ doubted' = doubted
  /\ token' = token
  /\ stained' = stained

\* The owner, once everything older is sealed out and no trusted rival works. A row that was lost meanwhile ends no
\* term: nobody else is named yet.
MayWork(a) ==
  /\ owner \in {a, Nobody}
  /\ token[a] = "open"
  /\ Open(a) = {}
  /\ Waits => Rivals(a) = {}

\* A doubted actor may err, but only about a lease that it once held.
MayErr(a) == a \in doubted /\ token[a] # "none"

\* Actor: begins to work as primary.
StepUp(a) ==
  /\ a \notin works
  /\ MayWork(a) \/ MayErr(a) \/ ~Owns
  /\ works' = works \cup {a}
  /\ owner' = owner
  /\ doubted' = doubted
  /\ token' = token
  /\ stained' = stained

\* Actor: stops, or crashes; what it has sent may still land.
StepDown(a) ==
  /\ a \in works
  /\ works' = works \ {a}
  /\ owner' = owner
  /\ doubted' = doubted
  /\ token' = token
  /\ stained' = stained

\* Nothing of this incarnation is left, on no wire and in no table.
Retire(a) ==
  /\ a \notin works \cup doubted
  /\ owner # a
  /\ token[a] # "none"
  /\ token' = [token EXCEPT ![a] = "none"]
  /\ owner' = owner
  /\ works' = works
  /\ doubted' = doubted
  /\ stained' = stained

-----------------------------------------------------------------------------
(* Environment.                                                            *)

\* A pause or a suspension begins, or a clock leaves its bound.
Doubt(a) ==
  /\ a \notin doubted
  /\ doubted' = doubted \cup {a}
  /\ owner' = owner
  /\ works' = works
  /\ token' = token
  /\ stained' = stained

\* The disturbance is over, and so is the error that it excused.
Trust(a) ==
  /\ a \in doubted
  /\ (a \in works /\ Waits) => Rivals(a) = {}
  /\ (a \in works /\ Fences /\ owner = a) => Open(a) = {}
  /\ doubted' = doubted \ {a}
  /\ owner' = owner
  /\ works' = works
  /\ token' = token
  /\ stained' = stained

-----------------------------------------------------------------------------

System(a) == Grant(a) \/ Accept(a) \/ StepUp(a) \/ StepDown(a) \/ Retire(a)

Environment(a) == Doubt(a) \/ Trust(a)

Next == Elsewhere \/ Leave \/ \E a \in Actor : System(a) \/ Environment(a)

\* No fairness: the contract says what must not happen.  That something
\* happens at all is judged on its own, in time; LiveLease.tla says what
\* it takes.
Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
(* Safety.                                                                 *)

\* Belief, owed while actors are trusted.
AtMostOneWorkingPrimary == Cardinality(works \ doubted) <= 1

\* Effect, owed always.
NoStaleEffect == ~stained

\* Who works as the named owner finds everything older sealed out.
SealedBeforeWork == \A a \in works \ doubted : owner = a => Open(a) = {}

=============================================================================
