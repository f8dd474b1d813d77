------------------------------- MODULE MCJob -------------------------------
(***************************************************************************)
(* The contract of one attempt among servers that are all looked at.       *)
(* Nobody is outside, so a state knows whatever decides what comes next:   *)
(* this is the whole of which judges see seats.  Small enough for three.   *)
(***************************************************************************)
EXTENDS Job

\* What one of them does.
Inside(s) == Store(s) \/ Cluster(s) \/ System(s) \/ Environment(s)

ClosedNext == Surroundings \/ \E s \in Server : Inside(s)

=============================================================================
