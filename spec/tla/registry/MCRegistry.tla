----------------------------- MODULE MCRegistry -----------------------------
(***************************************************************************)
(* The contract of one place among nodes and subscribers that are all      *)
(* looked at.  Nobody is outside, so whatever a subscriber is told some    *)
(* node had folded: this is the whole of which judges see seats.           *)
(***************************************************************************)
EXTENDS Registry

ClosedNext == Inside

\* The same as EqualOffsetEqualCatalog, said of two: positions at the newest change hold one list.
NodesAgree ==
  \A m, n \in Node : applied[m] = "at" /\ applied[n] = "at" => catalog[m] = catalog[n]

\* The same as CursorNeverSkips, said of a node and a subscriber that it could tell nothing more.
ToldIsListed ==
  \A n \in Node, c \in Subscriber : applied[n] = "at" /\ cursor[c] = "at" => catalog[n] = view[c]

=============================================================================
