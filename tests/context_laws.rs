//! Laws of the context table, whatever servers ask of it and however late.
//!
//! Method: random claims, operations, repetitions and spans of time are played on a real [`ContextTable`] beside a real
//! heartbeat table, under published and hardened rules and those that differ from them in one decision. Each step becomes
//! one [`Record`]; each law is a judge of records, under any rules that have the defences which it speaks of. Below each
//! law stands a sequence, or an altered record, that its judge must convict.

mod play;

use crate::settings::fixed;
use failproof_core::election::{EmptyAnswer, Entry, Outcome as Accepted, Rules as ElectionRules};
use failproof_core::routing::{
    Adoption, Alias, AliasHolder, Change, ContextId, CreateKey, MainCheck, OwnerSource, Ownership, Row, Rules,
    UnnamedServer, Verdict, What,
};
use failproof_core::{Epoch, Host, Utype};
use play::{ALIASES, Op, Play, Record, Wish, any_ops, any_rules};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;

type Judgement = Result<(), String>;

fn convict(evidence: String) -> Judgement {
    Err(evidence)
}

const UNOWNED: ContextId = ContextId(0);
const CREATED: ContextId = ContextId(1);
const A: Alias = Alias(0);
const B: Alias = Alias(1);
const C: Alias = Alias(2);

const fn beat(actor: usize) -> Op {
    Op::Beat { actor }
}

const fn ask(actor: usize, wish: Wish) -> Op {
    Op::Ask { actor, wish, late: false }
}

const fn create(actor: usize, backup: Alias) -> Op {
    ask(actor, Wish::Create { request: (0, 1), backup })
}

const fn load(actor: usize) -> Op {
    ask(actor, Wish::Load { id: CREATED, main_gone: true })
}

const fn write(actor: usize, seq: u32) -> Op {
    ask(actor, Wish::Write { id: CREATED, key: 0, seq: Some(seq) })
}

const GIVE: Op = ask(0, Wish::Give { id: CREATED });
const EXPIRE: Op = Op::Pass { ms: 5_001 };

/// The verdict on the last operation.
fn last(records: &[Record]) -> Option<Verdict> {
    records.last()?.operation.map(|(_, outcome, _)| outcome.verdict)
}

/// Judges that what was not carried out, or had been before, changes nothing. Only this may be noted: that the term of an
/// alias was found over.
fn not_carried_out_changes_nothing(records: &[Record]) -> Judgement {
    for Record { now, operation, before, after, .. } in records {
        let Some((operation, outcome, change)) = operation else { continue };
        let mut expected = before.heartbeats.clone();
        for alias in (0..ALIASES as u16).map(Utype) {
            if let (Some(former), Some(entry)) = (before.heartbeats.entry(alias), after.heartbeats.entry(alias))
                && !before.heartbeats.is_valid(alias, *now)
            {
                expected.put(alias, Some(Entry { answered_empty: entry.answered_empty, ..*former }));
            }
        }
        if format!("{expected:?}") != format!("{:?}", after.heartbeats) {
            return convict(format!("{operation:?} changed the heartbeat table"));
        }
        let same = format!("{:?}", before.contexts) == format!("{:?}", after.contexts);
        match (outcome.verdict, change) {
            (_, Change::None) if same => {}
            (Verdict::Done, change) if *change != Change::None && !same => {}
            (verdict, change) => return convict(format!("{operation:?}: {verdict:?}, {change:?}, the same: {same}")),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn an_operation_that_is_not_carried_out_changes_nothing(rules in any_rules(), ops in any_ops()) {
        prop_assert_eq!(not_carried_out_changes_nothing(&Play::new(rules).run(&ops)), Ok(()));
    }
}

/// No rule breaks this law, so records are altered: a creation is told as one that did nothing, or as refused, and a
/// refusal as one that found the term of a holder over.
#[test]
fn judge_of_refusals_convicts_altered_records() {
    let records = Play::new(Rules::hardened()).run(&[beat(0), beat(1), create(0, B), load(1)]);
    assert_eq!((last(&records), not_carried_out_changes_nothing(&records)), (Some(Verdict::NotOwner), Ok(())));
    let altered = |alter: &dyn Fn(&mut [Record])| {
        let mut records = records.clone();
        alter(&mut records);
        not_carried_out_changes_nothing(&records)
    };
    let created = |records: &mut [Record], verdict, change| {
        if let Some((_, outcome, done)) = &mut records[2].operation {
            (outcome.verdict, *done) = (verdict, change);
        }
    };
    assert!(altered(&|records| created(records, Verdict::Done, Change::None)).is_err());
    assert!(altered(&|records| created(records, Verdict::NotOwner, Change::Created)).is_err());
    assert!(
        altered(&|records| {
            let entry = *records[3].after.heartbeats.entry(Utype(0)).expect("granted");
            records[3].after.heartbeats.put(Utype(0), Some(Entry { answered_empty: true, ..entry }));
        })
        .is_err()
    );
}

/// Judges that no row vanishes, that epochs, generations and versions never decrease, and that none of them stands for two
/// things: an epoch for two owners, a generation for two bindings, a version for two contents.
fn counters_tell_states_apart(records: &[Record]) -> Judgement {
    let (mut epochs, mut generations, mut versions) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for record in records {
        if record.after.contexts.rows().len() < record.before.contexts.rows().len() {
            return convict("a row vanished".to_owned());
        }
        for (id, before, row) in record.rows() {
            let counters = |row: &Row| [row.epoch, row.generation, row.version];
            if before.is_some_and(|before| counters(before).iter().zip(counters(row)).any(|(old, new)| *old > new)) {
                return convict(format!("{id:?} went back from {before:?} to {row:?}"));
            }
            let main = row.owners.map(|(main, _)| main);
            let epoch = *epochs.entry((id, row.epoch)).or_insert((main, row.holder));
            let owners = *generations.entry((id, row.generation)).or_insert(row.owners);
            let content = *versions.entry((id, row.version)).or_insert(row.content);
            if (epoch, owners, content) != ((main, row.holder), row.owners, row.content) {
                return convict(format!("{row:?} repeats a counter: {epoch:?}, {owners:?}, {content:?}"));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn counters_of_a_row_never_decrease_or_repeat(rules in any_rules(), ops in any_ops()) {
        let rules = Rules { ownership: Ownership::Epoch, ..rules };
        prop_assert_eq!(counters_tell_states_apart(&Play::new(rules).run(&ops)), Ok(()));
    }
}

#[test]
fn judge_of_counters_convicts_owners_without_epochs() {
    let ops = [beat(0), create(0, B), load(0), GIVE];
    assert!(counters_tell_states_apart(&Play::new(Rules::published()).run(&ops)).is_err());
    let records = Play::new(Rules::hardened()).run(&ops);
    assert_eq!(counters_tell_states_apart(&records), Ok(()));
    let backwards = Record { before: records[3].after.clone(), after: records[3].before.clone(), ..records[3].clone() };
    assert!(counters_tell_states_apart(&[backwards]).is_err());
}

/// Judges that what a key holds never goes back to an older change.
fn content_never_decreases(records: &[Record]) -> Judgement {
    for (id, before, row) in records.iter().flat_map(Record::rows) {
        let back = |before: &Row| before.content.iter().zip(row.content).any(|(old, new)| *old > new);
        if before.is_some_and(back) {
            return convict(format!("{id:?} went back from {before:?} to {row:?}"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn a_key_never_goes_back_to_an_older_change(rules in any_rules(), ops in any_ops()) {
        let rules = Rules { ownership: Ownership::Epoch, ..rules };
        prop_assert_eq!(content_never_decreases(&Play::new(rules).run(&ops)), Ok(()));
    }
}

#[test]
fn judge_of_content_convicts_the_last_writer() {
    let ops = [beat(0), create(0, B), load(0), write(0, 2), write(0, 1)];
    assert!(content_never_decreases(&Play::new(Rules::published()).run(&ops)).is_err());
    let records = Play::new(Rules::hardened()).run(&ops);
    assert_eq!((last(&records), content_never_decreases(&records)), (Some(Verdict::Done), Ok(())));
}

/// Who was granted which epoch of which context: the alias, in its term.
type Grants = BTreeMap<(ContextId, u32), (Alias, Epoch)>;

/// Notes what a step granted. An epoch that waits for a grant is nobody's.
fn note_grants(grants: &mut Grants, record: &Record) -> Judgement {
    let Some((operation, ..)) = record.operation else { return Ok(()) };
    for (id, before, row) in record.rows() {
        if before.is_some_and(|before| before.epoch == row.epoch) || row.holder == Epoch::NONE {
            continue;
        }
        let asker = (operation.alias, operation.term);
        if row.owners.map(|(main, _)| (main, row.holder)) != Some(asker) {
            return convict(format!("{operation:?} granted {row:?}"));
        }
        if let Some(former) = grants.insert((id, row.epoch), asker) {
            return convict(format!("{id:?}: epoch {} went to {former:?} and {asker:?}", row.epoch));
        }
    }
    Ok(())
}

/// Judges that an epoch is granted to its asker, and to one only.
fn each_epoch_is_granted_once(records: &[Record]) -> Judgement {
    let mut grants = Grants::new();
    records.iter().try_for_each(|record| note_grants(&mut grants, record))
}

/// Judges that a change counts as done for whoever was granted the present epoch, and in that epoch: for nobody else, even
/// if it is in the row already.
fn writes_are_by_grant(records: &[Record]) -> Judgement {
    let mut grants = Grants::new();
    for record in records {
        note_grants(&mut grants, record)?;
        let Some((operation, outcome, _)) = record.operation else { continue };
        let (What::Write { id, epoch, .. }, Verdict::Done) = (operation.what, outcome.verdict) else { continue };
        let present = record.before.contexts.row(id).map(|row| row.epoch);
        if present != Some(epoch) || grants.get(&(id, epoch)) != Some(&(operation.alias, operation.term)) {
            return convict(format!("{operation:?} in epoch {present:?} of {grants:?}"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn each_epoch_is_granted_to_one_server(rules in any_rules(), ops in any_ops()) {
        let rules = Rules { ownership: Ownership::Epoch, ..rules };
        prop_assert_eq!(each_epoch_is_granted_once(&Play::new(rules).run(&ops)), Ok(()));
    }

    #[test]
    fn only_who_was_granted_the_present_epoch_writes(rules in any_rules(), ops in any_ops()) {
        let rules = Rules { ownership: Ownership::Epoch, ..rules };
        prop_assert_eq!(writes_are_by_grant(&Play::new(rules).run(&ops)), Ok(()));
    }
}

#[test]
fn judge_of_writes_convicts_writers_without_a_grant() {
    let ops = [beat(0), beat(1), create(0, B), load(0), write(0, 1), load(1), write(1, 2)];
    assert!(writes_are_by_grant(&Play::new(Rules::published()).run(&ops)).is_err());
    let records = Play::new(Rules::hardened()).run(&ops);
    assert_eq!((last(&records), writes_are_by_grant(&records)), (Some(Verdict::NotOwner), Ok(())));
    // A late repetition, told to the owner that gave the context up.
    let repeated = [beat(0), beat(1), create(0, B), load(0), write(0, 1), GIVE, Op::Arrive { which: 1 }];
    let mut records = Play::new(Rules::hardened()).run(&repeated);
    assert_eq!((last(&records), writes_are_by_grant(&records)), (Some(Verdict::NotOwner), Ok(())));
    if let Some((_, outcome, _)) = records.last_mut().and_then(|record| record.operation.as_mut()) {
        outcome.verdict = Verdict::Done;
    }
    assert!(writes_are_by_grant(&records).is_err());
}

/// No rule breaks this law, so records are altered: a grant is told again, as another server's, or as asked by another.
#[test]
fn judge_of_grants_convicts_altered_records() {
    let records = Play::new(Rules::hardened()).run(&[beat(0), beat(1), create(0, B)]);
    assert_eq!(each_epoch_is_granted_once(&records), Ok(()));
    let twice = [records.clone(), records[2..].to_vec()].concat();
    assert!(each_epoch_is_granted_once(&twice).is_err());
    let mut foreign = records;
    if let Some((operation, ..)) = &mut foreign[2].operation {
        operation.alias = B;
    }
    assert!(each_epoch_is_granted_once(&foreign).is_err());
}

/// Judges that the main of a context changes only when it gives the context up, or to the backup when its own term is over,
/// and that this term is never renewed afterwards.
fn main_changes_by_give_or_after_expiry(records: &[Record]) -> Judgement {
    let mut over: Vec<(Utype, Epoch)> = Vec::new();
    for record in records {
        if let Some((claim, Accepted::Renewed(epoch))) = record.claim
            && over.contains(&(claim.utype, epoch))
        {
            return convict(format!("{epoch:?} of {:?} was taken from, then renewed", claim.utype));
        }
        for (id, before, row) in record.rows() {
            let Some((main, backup)) = before.and_then(|before| before.owners) else { continue };
            if row.owners.is_some_and(|(now, _)| now == main) {
                continue;
            }
            let Some((operation, ..)) = record.operation else { return convict(format!("{id:?} changed by itself")) };
            if row.owners != Some((backup, main)) {
                return convict(format!("{operation:?} moved {before:?} to {row:?}"));
            }
            let heartbeats = &record.before.heartbeats;
            let gone = !heartbeats.is_valid(main.utype(), record.now) && !heartbeats.in_grace(record.now);
            match operation.what {
                What::Give { .. } if operation.alias == main => {}
                What::Load { .. } if operation.alias == backup && gone => {
                    over.extend(heartbeats.entry(main.utype()).map(|entry| (main.utype(), entry.epoch)));
                }
                _ => return convict(format!("{operation:?} moved {before:?} to {row:?}; main gone: {gone}")),
            }
        }
    }
    Ok(())
}

/// The defences that this law speaks of.
fn takes_in_transaction(rules: Rules) -> Rules {
    Rules {
        ownership: Ownership::Epoch,
        main_check: MainCheck::Transaction,
        unnamed_server: UnnamedServer::Refuses,
        owner_source: OwnerSource::Row,
        adoption: Adoption::InsertIfAbsent,
        ..rules
    }
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn main_changes_only_by_giving_or_to_the_backup_after_expiry(rules in any_rules(), ops in any_ops()) {
        let records = Play::new(takes_in_transaction(rules)).run(&ops);
        prop_assert_eq!(main_changes_by_give_or_after_expiry(&records), Ok(()));
    }
}

#[test]
fn judge_of_takes_convicts_caches_strangers_and_renewals() {
    let hardened = Rules::hardened();
    let judged = |rules, ops: &[Op]| main_changes_by_give_or_after_expiry(&Play::new(rules).run(ops));
    let early = [beat(0), beat(1), create(0, B), load(1)];
    assert!(judged(Rules { main_check: MainCheck::Cache, ..hardened }, &early).is_err());
    assert_eq!(judged(hardened, &early), Ok(()));
    let stranger = [beat(0), create(0, B), EXPIRE, beat(2), load(2)];
    assert!(judged(Rules { unnamed_server: UnnamedServer::Serves, ..hardened }, &stranger).is_err());
    assert_eq!(judged(hardened, &stranger), Ok(()));
    let adopted = [beat(0), create(0, B), beat(2), ask(2, Wish::Adopt { id: CREATED, backup: B })];
    assert!(judged(Rules { adoption: Adoption::Overwrite, ..hardened }, &adopted).is_err());
    assert_eq!(judged(hardened, &adopted), Ok(()));

    let renewed = [beat(0), create(0, B), EXPIRE, beat(1), load(1), beat(0)];
    let lax = ElectionRules { empty_is_final: EmptyAnswer::Renewable, ..ElectionRules::hardened() };
    assert!(main_changes_by_give_or_after_expiry(&Play::with(hardened, lax).run(&renewed)).is_err());
    let records = Play::new(hardened).run(&renewed);
    assert!(matches!(records[3].operation, Some((_, _, Change::Taken { from: A, expired: true }))), "{:?}", records[3]);
    assert_eq!(main_changes_by_give_or_after_expiry(&records), Ok(()));
}

/// Judges that whoever lost a context changes nothing in it with what it knew before.
fn former_owners_are_refused(records: &[Record]) -> Judgement {
    let mut lost: BTreeMap<(ContextId, Alias), u32> = BTreeMap::new();
    for record in records {
        if let Some((operation, _, Change::Written { .. })) = record.operation
            && let What::Write { id, epoch, .. } = operation.what
            && lost.get(&(id, operation.alias)).is_some_and(|until| epoch <= *until)
        {
            return convict(format!("{operation:?} after {lost:?}"));
        }
        for (id, before, row) in record.rows() {
            let main = |row: &Row| row.owners.map(|(main, _)| main);
            if let Some(before) = before.filter(|before| main(before) != main(row)) {
                lost.extend(main(before).map(|main| ((id, main), before.epoch)));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn writes_of_a_former_owner_are_refused(rules in any_rules(), ops in any_ops()) {
        let rules = Rules { ownership: Ownership::Epoch, ..rules };
        prop_assert_eq!(former_owners_are_refused(&Play::new(rules).run(&ops)), Ok(()));
    }
}

#[test]
fn judge_of_former_owners_convicts_the_last_writer() {
    // Sent before, arriving after; and a take while the change is under way.
    let late = Op::Ask { actor: 0, wish: Wish::Write { id: CREATED, key: 0, seq: Some(1) }, late: true };
    let arrive = Op::Arrive { which: 1 };
    let given = [beat(0), beat(1), create(0, B), load(0), late.clone(), GIVE, arrive.clone()];
    assert!(former_owners_are_refused(&Play::new(Rules::published()).run(&given)).is_err());
    let taken = [beat(0), create(0, B), load(0), late, EXPIRE, beat(1), load(1), arrive];
    for ops in [&given[..], &taken] {
        let records = Play::new(Rules::hardened()).run(ops);
        assert_eq!((last(&records), former_owners_are_refused(&records)), (Some(Verdict::NotOwner), Ok(())));
        let mut altered = records;
        let record = altered.last_mut().expect("the late one");
        if let Some((_, _, change)) = &mut record.operation {
            *change = Change::Written { expired: false };
        }
        assert!(former_owners_are_refused(&altered).is_err());
    }
}

/// Judges that a request makes one row, which no other request is told, and that each repetition tells the same.
fn a_request_makes_one_row(records: &[Record]) -> Judgement {
    let mut made: BTreeMap<(u16, u32), ContextId> = BTreeMap::new();
    for Record { operation, .. } in records {
        let Some((operation, outcome, change)) = operation else { continue };
        let (What::Create { request, .. }, Verdict::Done) = (operation.what, outcome.verdict) else { continue };
        let Some(row) = outcome.row else { return convict(format!("{operation:?} told no row")) };
        let taken = made.iter().any(|(other, id)| *other != request && *id == row.id);
        let again = made.insert(request, row.id);
        if taken || again.is_some_and(|id| id != row.id) || again.is_some() != (*change == Change::None) {
            return convict(format!("{operation:?} told {:?}, after {again:?}", row.id));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn a_repeated_creation_makes_no_other_row(rules in any_rules(), ops in any_ops()) {
        let rules = Rules { create_key: CreateKey::Request, ..rules };
        prop_assert_eq!(a_request_makes_one_row(&Play::new(rules).run(&ops)), Ok(()));
    }
}

#[test]
fn judge_of_creations_convicts_requests_without_a_key() {
    let ops = [beat(0), beat(1), create(0, B), create(1, A)];
    let rules = Rules { create_key: CreateKey::None, ..Rules::hardened() };
    assert!(a_request_makes_one_row(&Play::new(rules).run(&ops)).is_err());
    let records = Play::new(Rules::hardened()).run(&ops);
    assert_eq!((last(&records), a_request_makes_one_row(&records)), (Some(Verdict::Done), Ok(())));
}

/// Judges that an adoption names its asker where nobody is named, and else tells who is.
fn adoption_is_insert_if_absent(records: &[Record]) -> Judgement {
    for Record { operation, before, after, .. } in records {
        let Some((operation, outcome, _)) = operation else { continue };
        let (What::Adopt { id, backup }, Verdict::Done) = (operation.what, outcome.verdict) else { continue };
        let owners = |tables: &play::Tables| tables.contexts.row(id).and_then(|row| row.owners);
        let expected = owners(before).or(Some((operation.alias, backup)));
        let told = outcome.row.map(|row| (row.main, row.backup));
        if (owners(after), told) != (expected, expected) {
            return convict(format!("{operation:?} told {told:?}; {:?} became {:?}", owners(before), owners(after)));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn who_adopts_a_context_with_owners_is_told_them(rules in any_rules(), ops in any_ops()) {
        let rules = Rules { adoption: Adoption::InsertIfAbsent, ..rules };
        prop_assert_eq!(adoption_is_insert_if_absent(&Play::new(rules).run(&ops)), Ok(()));
    }
}

#[test]
fn judge_of_adoption_convicts_overwriting() {
    let adopt = |actor, backup| ask(actor, Wish::Adopt { id: UNOWNED, backup });
    let ops = [beat(0), beat(1), adopt(0, B), adopt(1, C)];
    let rules = Rules { adoption: Adoption::Overwrite, ..Rules::hardened() };
    assert!(adoption_is_insert_if_absent(&Play::new(rules).run(&ops)).is_err());
    let records = Play::new(Rules::hardened()).run(&ops);
    assert_eq!((last(&records), adoption_is_insert_if_absent(&records)), (Some(Verdict::Done), Ok(())));
}

/// Judges that the load of each alias is the number of rows that name it, that views show the same, and that a context with
/// one instance is shown while another alias is held.
fn loads_equal_a_recount(records: &[Record]) -> Judgement {
    for Record { now, after, .. } in records {
        let names = |alias: Alias| {
            let named = |row: &&Row| row.owners.is_some_and(|(main, backup)| main == alias || backup == alias);
            after.contexts.rows().iter().filter(named).count()
        };
        let view = after.contexts.view(&after.heartbeats, *now);
        for (alias, load) in (0..).map(Alias).zip(after.loads) {
            let shown = view.row(alias).map(|row| row.load);
            if load as usize != names(alias) || shown != Some(load) {
                return convict(format!("{alias:?}: {load}, shown {shown:?}, counted {}", names(alias)));
            }
            let others = view.live().any(|(other, _)| other != alias);
            let first = after.contexts.rows().iter().position(|row| row.owners == Some((alias, alias)));
            let expected = first.filter(|_| others).map(|at| ContextId(at as u32));
            if after.contexts.degraded(alias, &view) != expected {
                return convict(format!("{alias:?} is the only instance of {expected:?}"));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn loads_count_the_contexts_that_name_an_alias(rules in any_rules(), ops in any_ops()) {
        prop_assert_eq!(loads_equal_a_recount(&Play::new(rules).run(&ops)), Ok(()));
    }
}

/// No rule breaks this law, so a record is altered: one context more.
#[test]
fn judge_of_loads_convicts_a_miscount() {
    let mut records = Play::new(Rules::hardened()).run(&[beat(0), create(0, A)]);
    assert_eq!((records[1].after.loads, loads_equal_a_recount(&records)), ([1, 0, 0], Ok(())));
    records[1].after.loads[0] += 1;
    assert!(loads_equal_a_recount(&records).is_err());
}

/// Judges that a backup changes only together with main, or by a repair: where main was its own backup, by its owner, and to
/// somebody else, with the epoch and the content left alone.
fn only_degraded_rows_are_repaired(records: &[Record]) -> Judgement {
    for record in records {
        for (id, before, row) in record.rows() {
            let Some((before, (main, backup))) = before.and_then(|before| Some((before, before.owners?))) else {
                continue;
            };
            let Some((now_main, now_backup)) = row.owners else { return convict(format!("{id:?} lost its owners")) };
            if now_main != main || (now_backup, row.generation) == (backup, before.generation) {
                continue;
            }
            let by_owner = record.operation.is_some_and(|(operation, ..)| {
                matches!(operation.what, What::Repair { .. })
                    && (operation.alias, operation.term) == (main, before.holder)
            });
            let rest = Row { owners: before.owners, generation: before.generation, ..*row };
            if !by_owner
                || main != backup
                || now_backup == main
                || rest != *before
                || row.generation <= before.generation
            {
                return convict(format!("{:?} made {before:?} {row:?}", record.operation));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn only_a_degraded_row_is_repaired_and_to_somebody_else(rules in any_rules(), ops in any_ops()) {
        let rules = Rules { ownership: Ownership::Epoch, adoption: Adoption::InsertIfAbsent, ..rules };
        prop_assert_eq!(only_degraded_rows_are_repaired(&Play::new(rules).run(&ops)), Ok(()));
    }
}

#[test]
fn judge_of_repairs_convicts_overwriting_and_former_terms() {
    let adopt = ask(0, Wish::Adopt { id: CREATED, backup: C });
    let ops = [beat(0), create(0, B), adopt];
    let rules = Rules { adoption: Adoption::Overwrite, ..Rules::hardened() };
    assert!(only_degraded_rows_are_repaired(&Play::new(rules).run(&ops)).is_err());
    assert_eq!(only_degraded_rows_are_repaired(&Play::new(Rules::hardened()).run(&ops)), Ok(()));

    let repair = |backup| ask(0, Wish::Repair { id: CREATED, backup });
    let again = [beat(0), create(0, A), Op::Resign { actor: 0 }, beat(0), repair(B)];
    assert!(only_degraded_rows_are_repaired(&Play::new(Rules::published()).run(&again)).is_err());
    let records = Play::new(Rules::hardened()).run(&again);
    assert_eq!((last(&records), only_degraded_rows_are_repaired(&records)), (Some(Verdict::NotOwner), Ok(())));

    for (backup, verdict) in [(A, Verdict::NotOwner), (B, Verdict::Done)] {
        let records = Play::new(Rules::hardened()).run(&[beat(0), create(0, A), repair(backup)]);
        assert_eq!((last(&records), only_degraded_rows_are_repaired(&records)), (Some(verdict), Ok(())));
    }
}

/// Judges that an alias is granted to another machine only while no context names it.
fn an_alias_stays_with_its_machine(records: &[Record]) -> Judgement {
    let mut machines: [Option<Host>; ALIASES] = [None; ALIASES];
    for Record { claim, before, .. } in records {
        let Some((claim, Accepted::Granted(_))) = claim else { continue };
        let machine = &mut machines[claim.utype.index()];
        if before.loads[claim.utype.index()] > 0 && machine.is_some_and(|machine| machine != claim.host) {
            return convict(format!("{claim:?} was granted what belongs to {machine:?}"));
        }
        *machine = Some(claim.host);
    }
    Ok(())
}

proptest! {
    #![proptest_config(fixed(256))]

    #[test]
    fn an_alias_that_contexts_name_stays_with_its_machine(rules in any_rules(), ops in any_ops()) {
        let rules = Rules { alias_holder: AliasHolder::Instance, ..rules };
        prop_assert_eq!(an_alias_stays_with_its_machine(&Play::new(rules).run(&ops)), Ok(()));
    }
}

#[test]
fn judge_of_machines_convicts_roles() {
    let ops = [beat(0), create(0, B), EXPIRE, beat(3)];
    let rules = Rules { alias_holder: AliasHolder::Role, ..Rules::hardened() };
    assert!(an_alias_stays_with_its_machine(&Play::new(rules).run(&ops)).is_err());
    assert_eq!(an_alias_stays_with_its_machine(&Play::new(Rules::hardened()).run(&ops)), Ok(()));
    let unnamed = [beat(0), EXPIRE, beat(3)];
    let records = Play::new(Rules::hardened()).run(&unnamed);
    assert!(matches!(records[1].claim, Some((_, Accepted::Granted(_)))), "the law is not kept by refusing everything");
}

/// The random sequences reach what the laws speak of; else the laws would hold by idleness.
#[test]
fn sequences_reach_what_the_laws_speak_of() {
    let mut runner = TestRunner::deterministic();
    let strategy = any_ops();
    let mut reached: BTreeMap<&str, u32> = BTreeMap::new();
    for _ in 0..512 {
        let ops = strategy.new_tree(&mut runner).expect("no filter").current();
        for record in Play::new(Rules::hardened()).run(&ops) {
            let Some((operation, outcome, change)) = record.operation else { continue };
            let late = match (outcome.verdict, operation.what) {
                (Verdict::NotOwner, What::Write { epoch: 1.., .. }) => "late write",
                (Verdict::NotOwner, What::Give { epoch: 1.., .. }) => "late give",
                (Verdict::NotOwner, What::Load { main_gone: true, .. }) => "take refused",
                (Verdict::NotOwner, _) => "not owner",
                (Verdict::NotHolder, _) => "not holder",
                (Verdict::Missing, _) => "missing",
                (Verdict::Done, _) => "done",
            };
            let change = match change {
                Change::None => "nothing",
                Change::Created => "created",
                Change::Adopted { .. } => "adopted",
                Change::Granted => "granted",
                Change::Taken { .. } => "taken",
                Change::Written { .. } => "written",
                Change::Given => "given",
                Change::Repaired => "repaired",
            };
            *reached.entry(late).or_default() += 1;
            *reached.entry(change).or_default() += 1;
        }
    }
    println!("{reached:?}");
    assert!(reached.len() == 15 && reached.values().all(|count| *count >= 20), "{reached:?}");
}
