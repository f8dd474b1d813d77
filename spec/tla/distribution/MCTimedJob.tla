----------------------------- MODULE MCTimedJob -----------------------------
(***************************************************************************)
(* TimedJob.tla with the values that a configuration file cannot write.    *)
(***************************************************************************)
EXTENDS TimedJob

\* Clocks that are perfect.
Perfect == [s \in {First, Second} |-> Quantum]

\* Whose the row is: of two members, the first one.
Stays == [m \in SUBSET {First, Second} |-> IF m = {} THEN Nobody ELSE IF First \in m THEN First ELSE Second]

\* Of two members, the second one: the row moves when it joins.
Moving == [m \in SUBSET {First, Second} |-> IF m = {} THEN Nobody ELSE IF Second \in m THEN Second ELSE First]

\* Whoever goes around the ring finds the row in its first half.
FirstHalf == [s \in {First, Second} |-> 1]

=============================================================================
