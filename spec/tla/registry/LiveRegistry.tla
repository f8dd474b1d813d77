---------------------------- MODULE LiveRegistry ----------------------------
(***************************************************************************)
(* What the contract of the registry promises of progress, and the         *)
(* fairness that it takes.  Nodes may restart, changes come, starts follow *)
(* each other and snapshots replace each other for ever.  Each assumption  *)
(* that is left out, or is weaker, costs a property.                       *)
(*                                                                         *)
(* It begins in any state that may be left when the faults are over.  From *)
(* then on the log loses nothing, old starts register no more, and the     *)
(* probe of an instance that is gone does not pass.  Somebody else may     *)
(* register what is dead, again and again, as a companion process does.    *)
(*                                                                         *)
(* Left out: how long anything takes (runs are judged in time); nodes and  *)
(* subscribers that are gone for good, which are no part of Node and       *)
(* Subscriber here; what outsiders tell, on which nobody can count.        *)
(***************************************************************************)
EXTENDS Registry

ASSUME AllIsHealed == ~Faults

CONSTANTS
  Fair,   \* what happens if it is possible from some time on
  Strong  \* what happens if it is possible again and again

ASSUME FairIsKnown == Fair \cup Strong \subseteq
  {"Register", "Fail", "Last", "Confirm", "Remove", "Fold", "Load", "Push", "Reconnect"}

-----------------------------------------------------------------------------

\* Everything that the log may say of the place: start, check, proof.
Logs == {<<"none", "none", {}>>} \cup {<<i, k[1], k[2]>> : i \in Start, k \in Checks}

\* The log is healed: whatever it went through, it says something, and who holds something holds what it says.
LiveInit ==
  /\ life \in {"none", "alive", "leaving", "dead"}
  /\ \E l \in Logs : listed = l[1] /\ check = l[2] /\ proof = l[3]
  /\ unfounded = FALSE
  /\ earlier = {"none", "listed"}
  /\ epoch = "changed"
  /\ applied \in [Node -> Position]
  /\ catalog \in {f \in [Node -> Contents] : \A n \in Node : f[n] \in Fits(applied[n])}
  /\ cursor \in [Subscriber -> Cursor]
  /\ view \in {f \in [Subscriber -> Contents] : \A c \in Subscriber : f[c] \in Fits(cursor[c])}
  /\ wrongs = {}

-----------------------------------------------------------------------------
(* Fairness.                                                               *)

\* The instance learns that it is not listed, and registers.
RegisterIsFair ==
  /\ WF_vars("Register" \in Fair /\ life = "alive" /\ listed # "current" /\ Register("current"))
  /\ SF_vars("Register" \in Strong /\ life = "alive" /\ listed # "current" /\ Register("current"))

\* The instance is gone.
IsGone == life \in {"leaving", "dead"}

\* Somebody probes what is gone.
FailIsFair ==
  /\ WF_vars("Fail" \in Fair /\ IsGone /\ Fail)
  /\ SF_vars("Fail" \in Strong /\ IsGone /\ Fail)

\* And goes on for the critical interval.
LastIsFair ==
  /\ WF_vars("Last" \in Fair /\ IsGone /\ Last)
  /\ SF_vars("Last" \in Strong /\ IsGone /\ Last)

\* A second node probes it, too.
ConfirmIsFair ==
  /\ WF_vars("Confirm" \in Fair /\ IsGone /\ Confirm)
  /\ SF_vars("Confirm" \in Strong /\ IsGone /\ Confirm)

\* What is proven leads to a removal.
RemoveIsFair ==
  /\ WF_vars("Remove" \in Fair /\ IsGone /\ (\E i \in Start : Remove(i)))
  /\ SF_vars("Remove" \in Strong /\ IsGone /\ (\E i \in Start : Remove(i)))

\* A node folds up to the newest change.
FoldIsFair == \A n \in Node :
  /\ WF_vars("Fold" \in Fair /\ Fold(n) /\ applied'[n] = "at")
  /\ SF_vars("Fold" \in Strong /\ Fold(n) /\ applied'[n] = "at")

\* A node that folded what the log lost loads a snapshot.
LoadIsFair == \A n \in Node :
  /\ WF_vars("Load" \in Fair /\ applied[n] = "lost" /\ Load(n))
  /\ SF_vars("Load" \in Strong /\ applied[n] = "lost" /\ Load(n))

\* A node tells a subscriber of the newest change.
PushIsFair == \A c \in Subscriber :
  /\ WF_vars("Push" \in Fair /\ cursor[c] = "behind" /\ (\E n \in Node : Push(n, c))
                   /\ cursor'[c] = "at")
  /\ SF_vars("Push" \in Strong /\ cursor[c] = "behind" /\ (\E n \in Node : Push(n, c))
                   /\ cursor'[c] = "at")

\* A subscriber to whom no push can help connects again.
ReconnectIsFair == \A c \in Subscriber :
  /\ WF_vars("Reconnect" \in Fair /\ cursor[c] \in {"none", "forgotten", "lost"} /\ (\E n \in Node : Reconnect(n, c))
                   /\ cursor'[c] = "at")
  /\ SF_vars("Reconnect" \in Strong /\ cursor[c] \in {"none", "forgotten", "lost"} /\ (\E n \in Node : Reconnect(n, c))
                   /\ cursor'[c] = "at")

LiveSpec ==
  /\ LiveInit /\ [][Next]_vars
  /\ RegisterIsFair /\ FailIsFair /\ LastIsFair /\ ConfirmIsFair /\ RemoveIsFair
  /\ FoldIsFair /\ LoadIsFair /\ PushIsFair /\ ReconnectIsFair

-----------------------------------------------------------------------------
(* Liveness.                                                               *)

\* Each node comes to the newest change, again and again.
NodeReachesEnd == \A n \in Node : []<>(applied[n] = "at")

\* So does each subscriber.
SubscriberReachesEnd == \A c \in Subscriber : []<>(cursor[c] = "at")

\* What is dead leaves the list.
DeadInstanceLeaves == (life = "dead" /\ listed # "none") ~> (life # "dead" \/ listed = "none")

\* What lives is listed, if it was removed or the log lost it.
LiveInstanceIsListed == (life = "alive") ~> (life # "alive" \/ listed = "current")

=============================================================================
