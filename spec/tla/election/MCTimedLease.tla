---------------------------- MODULE MCTimedLease ----------------------------
EXTENDS TimedLease
\* The end, by design: whatever is still possible at the horizon is possible besides.
End ==
  /\ now = Horizon
  /\ UNCHANGED vars

MCNext == Next \/ End

=============================================================================
