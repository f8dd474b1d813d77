--------------------------- MODULE MCTimedContext ---------------------------
(***************************************************************************)
(* TimedContext.tla with the values that a configuration file cannot       *)
(* write.                                                                  *)
(***************************************************************************)
EXTENDS TimedContext

\* Clocks that are perfect.
Perfect == [s \in {First, Second} |-> Quantum]

\* Key 1 is changed, then the context is read.
ChangeThenRead == <<1>>

\* The same, but the first server has filled its cache before.
ReadThenChange == <<0, 1>>

=============================================================================
