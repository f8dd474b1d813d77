---------------------------- MODULE MCTimedLease ----------------------------
(***************************************************************************)
(* TimedLease.tla, bounded: horizon, faults and lives are finite there by  *)
(* constants, and here the end is no deadlock.  Why each bound keeps the   *)
(* interesting states is said where it is set, in the configurations and   *)
(* in the manifest.                                                        *)
(***************************************************************************)
EXTENDS TimedLease

\* The horizon ends a behaviour by design.
End ==
  /\ now = Horizon
  /\ UNCHANGED vars

MCNext == Next \/ End

=============================================================================
