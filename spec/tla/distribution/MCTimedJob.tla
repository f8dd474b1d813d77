----------------------------- MODULE MCTimedJob -----------------------------
(***************************************************************************)
(* TimedJob.tla with the values that a configuration file cannot write.    *)
(***************************************************************************)
EXTENDS TimedJob

\* Clocks that are perfect.
Perfect == [s \in {First, Second} |-> Quantum]

\* Whoever goes around the ring finds the row in its first half.
FirstHalf == [s \in {First, Second} |-> 1]

=============================================================================
