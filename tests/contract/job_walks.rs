//! What walks of one attempt of a job do.

use failproof_spec::job::JobSeatCode;
use failproof_spec::{Flight, Instance, JobAction, JobState, JobToken, Row};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use std::collections::BTreeSet;
use tla_checker::ast::Value;

use super::seat_walks::{Event, SERVERS, Walked, place};
use crate::contract_compiler::string;

/// What the history keeps of a step.
pub(super) struct Did {
    /// Whether one more instance lives afterwards.
    begins: bool,
    /// How many end: by themselves, or stopped.
    ends: u8,
    /// Whether a server's epoch, older than the newest that the cluster saw, changed the instance.
    stale: bool,
}

impl Walked for JobSeatCode {
    type Did = Did;

    const SEED: u64 = 5;

    fn attempt(random: &mut ChaCha8Rng, action: JobAction, server: u8, from: &JobState) -> JobState {
        let mut below = |bound: usize| random.next_u32() as usize % bound;
        let mut to = *from;
        let at = usize::from(server);
        match action {
            JobAction::Claim => {
                to.owner = Some(server);
                to.expired = false;
                to.row = if from.row == Row::Pending { Row::Claimed } else { from.row };
                for seat in to.seats.iter_mut().filter(|seat| seat.token == JobToken::Current) {
                    seat.token = if below(8) == 0 { JobToken::Current } else { JobToken::Old };
                }
                to.seats.iter_mut().for_each(|seat| seat.ready = false);
                to.seats[at].ready = matches!(from.row, Row::Pending | Row::Claimed) && below(2) == 0;
                (to.seats[at].token, to.seats[at].flight) = (JobToken::Current, Flight::None);
            }
            JobAction::Release => {
                (to.owner, to.expired) = (None, false);
                to.row = if from.row == Row::Claimed { Row::Pending } else { from.row };
                to.seats.iter_mut().for_each(|seat| seat.ready = false);
            }
            JobAction::Intend => {
                to.row = Row::Starting;
                to.seats.iter_mut().for_each(|seat| seat.ready = false);
            }
            JobAction::Adopt => to.row = Row::Running,
            // Rare, because a walk goes nowhere after it.
            JobAction::Close if below(3) > 0 => {}
            JobAction::Close => {
                (to.owner, to.expired, to.row, to.cancel) = (None, false, Row::Over, false);
                to.seats.iter_mut().for_each(|seat| (seat.token, seat.ready) = (JobToken::None, false));
            }
            JobAction::Ask | JobAction::Land => {
                let own = from.seats[at].token;
                for seat in to.seats.iter_mut().filter(|seat| seat.token == JobToken::Old) {
                    let fenced = own == JobToken::Current || own != JobToken::Fenced && below(2) == 0;
                    seat.token = if fenced { JobToken::Fenced } else { JobToken::Old };
                }
                if own == JobToken::Old {
                    to.seats[at].token = own;
                }
                let Instance { used, starts, live } = from.instance;
                let refused = own == JobToken::Fenced && below(4) > 0;
                if action == JobAction::Land && !refused {
                    to.instance = match from.seats[at].flight {
                        Flight::Stop if below(2) == 0 => {
                            Instance { used: true, starts, live: if below(3) == 0 { live } else { 0 } }
                        }
                        _ if starts < 2 && (!used || below(4) == 0) => {
                            Instance { used: true, starts: starts + 1, live: live + 1 }
                        }
                        _ => from.instance,
                    };
                    to.stale |= own == JobToken::Fenced && to.instance != from.instance;
                }
            }
            JobAction::Fetch => to.seats[at].ready = true,
            JobAction::SendStart if from.seats[at].flight == Flight::None => to.seats[at].flight = Flight::Start,
            JobAction::SendStop => to.seats[at].flight = Flight::Stop,
            JobAction::Doubt => to.seats[at].doubted = true,
            JobAction::Trust => to.seats[at].doubted = false,
            JobAction::Expire => to.expired = true,
            JobAction::Renew => to.expired = false,
            JobAction::Cancel => to.cancel = true,
            JobAction::Exit => to.instance.live = from.instance.live.saturating_sub(1),
            JobAction::SendStart | JobAction::Elsewhere => {}
        }
        if below(6) == 0 {
            let other = below(2);
            match below(9) {
                0 => to.owner = [None, Some(0), Some(1)][below(3)],
                1 => to.row = Row::ALL[below(5)],
                2 => to.seats[other].token = JobToken::ALL[below(4)],
                3 => to.seats[other].flight = Flight::ALL[below(3)],
                4 => to.seats[other].ready ^= true,
                5 => to.seats[other].doubted ^= true,
                6 => to.instance = Instance::ALL[below(7)],
                7 => to.cancel ^= true,
                _ => to.stale ^= true,
            }
        }
        to
    }

    fn wrong(action: JobAction, server: u8, from: &JobState) -> BTreeSet<&'static str> {
        let wrongs = [
            (action == JobAction::Claim && from.owner.is_some() && !from.expired, "haste"),
            (action == JobAction::Intend && !from.seats[usize::from(server)].ready, "unready"),
            (action == JobAction::SendStop && !from.cancel && from.row != Row::Over, "unasked"),
        ];
        wrongs.into_iter().filter(|(done, _)| *done).map(|(_, what)| what).collect()
    }

    fn did(action: JobAction, server: u8, from: &JobState, to: &JobState) -> Did {
        let (before, after) = (from.instance, to.instance);
        let begins = after.starts > before.starts;
        let fenced = from.seats[usize::from(server)].token == JobToken::Fenced;
        Did {
            begins,
            ends: (before.live + u8::from(begins)).saturating_sub(after.live),
            stale: fenced && action == JobAction::Land && before != after,
        }
    }

    fn said(history: &[Event<Self>], state: &JobState) -> Vec<bool> {
        let wrong = |what: &str| history.iter().any(|event| event.is_wrong(what));
        let begun = history.iter().filter(|event| event.did.begins).count();
        let ended: usize = history.iter().map(|event| usize::from(event.did.ends)).sum();
        let is_over = history.iter().any(|event| event.action == JobAction::Close);
        let (callers, sent) = (callers(history, state), calls(history).next().is_some());
        let strangers = match state.owner {
            Some(owner) => callers.iter().any(|caller| *caller != owner),
            None => callers.len() > 1,
        };
        vec![
            begun > 1,
            !is_over && strangers,
            history.iter().any(|event| event.did.stale),
            is_over && begun > ended,
            sent && !state.is_intended() || state.row == Row::Running && begun == 0 || wrong("unasked"),
            wrong("unready"),
            wrong("haste"),
        ]
    }

    fn value(state: &JobState, variable: &str) -> Value {
        let seats = || (0..SERVERS).map(|at| (place(Some(at)), &state.seats[usize::from(at)]));
        match variable {
            "owner" => place(state.owner),
            "row" => string(state.row.name()),
            "expired" => Value::Bool(state.expired),
            "token" => Value::func(seats().map(|(name, seat)| (name, string(seat.token.name()))).collect()),
            "flight" => Value::func(seats().map(|(name, seat)| (name, string(seat.flight.name()))).collect()),
            "ready" => Value::set(seats().filter(|(_, seat)| seat.ready).map(|(name, _)| name).collect()),
            "cancel" => Value::Bool(state.cancel),
            "doubted" => Value::set(seats().filter(|(_, seat)| seat.doubted).map(|(name, _)| name).collect()),
            "used" => Value::Bool(state.instance.used),
            "starts" => Value::Int(state.instance.starts.into()),
            "live" => Value::Int(state.instance.live.into()),
            "stale" => Value::Bool(state.stale),
            other => panic!("Job.tla has no variable {other}"),
        }
    }
}

/// The calls of the cluster that may still arrive: of each server, since its newest claim.
fn calls(history: &[Event<JobSeatCode>]) -> impl Iterator<Item = &Event<JobSeatCode>> {
    let claims =
        |server| history.iter().rposition(move |event| event.action == JobAction::Claim && event.server == server);
    let sends = |event: &Event<JobSeatCode>| matches!(event.action, JobAction::SendStart | JobAction::SendStop);
    let newest = move |event: &Event<JobSeatCode>, at: usize| claims(event.server).is_none_or(|claim| claim < at);
    history.iter().enumerate().filter(move |(at, event)| sends(event) && newest(event, *at)).map(|(_, event)| event)
}

/// Who called the cluster in the row's epoch, or in none.
fn callers(history: &[Event<JobSeatCode>], state: &JobState) -> BTreeSet<u8> {
    let in_epoch = |server: &u8| matches!(state.seats[usize::from(*server)].token, JobToken::None | JobToken::Current);
    calls(history).filter_map(|event| event.server).filter(in_epoch).collect()
}
