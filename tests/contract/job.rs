//! The attempt of a job: `Job.tla`, one server among others.

use failproof_spec::job::{JobLabels, JobSeatCode, JobSeatState};
use failproof_spec::seat::{SeatAction, Who};
use failproof_spec::{Flight, Instance, JobAction, JobContract, JobToken, Row};
use std::collections::BTreeSet;
use tla_checker::ast::Value;

use super::Kept;
use crate::contract_compiler::{Call, Spelled, Variables, model_value, string};

impl Kept for JobSeatCode {
    const FOLDER: &str = "distribution";
    const MODULE: &str = "Job";
    const INVARIANTS: &[&str] = &[
        "StartedOnce",
        "AtMostOneExecutorPerEpoch",
        "NoStaleEffect",
        "DoneIsQuiet",
        "NoLostJob",
        "StartsOnlyWithResources",
        "ClaimWaitsForOwner",
    ];

    fn strict() -> &'static JobContract {
        JobContract::strict()
    }

    fn permissive() -> &'static JobContract {
        JobContract::permissive()
    }

    fn perturbed(mut state: JobSeatState, what: usize, how: usize) -> JobSeatState {
        match what % 20 {
            0 => state.owner = Who::ALL[how % 3],
            1 => state.row = Row::ALL[how % 5],
            2 => state.expired ^= true,
            3 => state.token = JobToken::ALL[how % 4],
            4 => state.flight = Flight::ALL[how % 3],
            5 => state.ready ^= true,
            6 => state.cancel ^= true,
            7 => state.doubted ^= true,
            8 => state.instance = Instance::ALL[how % 7],
            9 => state.stale ^= true,
            _ => {}
        }
        state
    }
}

impl Spelled for JobSeatCode {
    fn calls() -> Vec<Call<JobLabels>> {
        let call = |action: JobAction| Call {
            label: action.label(),
            name: action.name(),
            actor: action.has_server().then(seat),
        };
        JobAction::ALL.into_iter().map(call).collect()
    }

    fn read(variables: &Variables<'_>) -> Result<JobSeatState, String> {
        if *variables.value("wrongs")? != Value::set(BTreeSet::new()) {
            return Err("something was done wrong, which no table follows".into());
        }
        let of_seat = Some(seat());
        let count = |name: &str| variables.one_of(name, None, &[0, 1, 2], |count: u8| Value::Int(count.into()));
        Ok(JobSeatState {
            owner: variables.one_of("owner", None, &Who::ALL, place)?,
            row: variables.one_of("row", None, &Row::ALL, |row| string(row.name()))?,
            expired: variables.is_true("expired")?,
            token: variables.one_of("token", of_seat.as_ref(), &JobToken::ALL, |token| string(token.name()))?,
            flight: variables.one_of("flight", of_seat.as_ref(), &Flight::ALL, |flight| string(flight.name()))?,
            ready: variables.holds("ready", &seat())?,
            cancel: variables.is_true("cancel")?,
            doubted: variables.holds("doubted", &seat())?,
            instance: Instance { used: variables.is_true("used")?, starts: count("starts")?, live: count("live")? },
            stale: variables.is_true("stale")?,
        })
    }

    fn write(state: JobSeatState, variable: &str) -> Value {
        let of_seat = |name: &str| Value::func([(seat(), string(name))].into_iter().collect());
        let only_seat = |is: bool| Value::set(is.then(seat).into_iter().collect());
        match variable {
            "owner" => place(state.owner),
            "row" => string(state.row.name()),
            "expired" => Value::Bool(state.expired),
            "token" => of_seat(state.token.name()),
            "flight" => of_seat(state.flight.name()),
            "ready" => only_seat(state.ready),
            "cancel" => Value::Bool(state.cancel),
            "doubted" => only_seat(state.doubted),
            "used" => Value::Bool(state.instance.used),
            "starts" => Value::Int(state.instance.starts.into()),
            "live" => Value::Int(state.instance.live.into()),
            "stale" => Value::Bool(state.stale),
            "wrongs" => Value::set(BTreeSet::new()),
            other => panic!("Job.tla has no variable {other}"),
        }
    }
}

fn seat() -> Value {
    model_value("a")
}

fn place(who: Who) -> Value {
    model_value(match who {
        Who::Nobody => "Nobody",
        Who::Seat => "a",
        Who::Other => "Other",
    })
}
