//! The context: `Context.tla`, one server among others.

use failproof_spec::context::{ContextLabels, SeatCode, SeatState, Who};
use failproof_spec::seat::SeatAction;
use failproof_spec::{Cache, ContextAction, ContextContract, Token, Write};
use tla_checker::ast::Value;

use super::Kept;
use crate::contract_compiler::{Call, Spelled, Variables, model_value, string};

impl Kept for SeatCode {
    const FOLDER: &str = "routing";
    const MODULE: &str = "Context";
    const INVARIANTS: &[&str] =
        &["OneOwnerPerEpoch", "NoLostAcknowledgedWrite", "NoStaleRead", "OnlyNamedServersServe", "TakeWaitsForExpiry"];

    fn strict() -> &'static ContextContract {
        ContextContract::strict()
    }

    fn permissive() -> &'static ContextContract {
        ContextContract::permissive()
    }

    fn perturbed(mut state: SeatState, what: usize, how: usize) -> SeatState {
        match what % 18 {
            0 => state.main = Who::ALL[how % 3],
            1 => state.backup = Who::ALL[how % 3],
            2 => state.expired ^= true,
            3 => state.token = Token::ALL[how % 3],
            4 => state.cache = Cache::ALL[how % 3],
            5 => state.doubted ^= true,
            6 => state.write = Write::ALL[how % 4],
            7 => state.wrote = Who::ALL[how % 3],
            8 => state.split ^= true,
            _ => {}
        }
        state
    }
}

impl Spelled for SeatCode {
    fn calls() -> Vec<Call<ContextLabels>> {
        let call = |action: ContextAction| Call {
            label: action.label(),
            name: action.name(),
            actor: action.has_server().then(seat),
        };
        ContextAction::ALL.into_iter().map(call).collect()
    }

    fn read(variables: &Variables<'_>) -> Result<SeatState, String> {
        let who = |name: &str| variables.one_of(name, None, &Who::ALL, place);
        if *variables.value("wrongs")? != Value::set(std::collections::BTreeSet::new()) {
            return Err("something was done wrong, which no table follows".into());
        }
        Ok(SeatState {
            main: who("main")?,
            backup: who("backup")?,
            expired: variables.is_true("expired")?,
            token: variables.one_of("token", Some(&seat()), &Token::ALL, |token| string(token.name()))?,
            cache: variables.one_of("cache", Some(&seat()), &Cache::ALL, |cache| string(cache.name()))?,
            doubted: variables.holds("doubted", &seat())?,
            write: variables.one_of("write", None, &Write::ALL, |write| string(write.name()))?,
            wrote: who("wrote")?,
            split: variables.is_true("split")?,
        })
    }

    fn write(state: SeatState, variable: &str) -> Value {
        let of_seat = |name: &str| Value::func([(seat(), string(name))].into_iter().collect());
        match variable {
            "main" => place(state.main),
            "backup" => place(state.backup),
            "expired" => Value::Bool(state.expired),
            "token" => of_seat(state.token.name()),
            "cache" => of_seat(state.cache.name()),
            "doubted" => Value::set(state.doubted.then(seat).into_iter().collect()),
            "write" => string(state.write.name()),
            "wrote" => place(state.wrote),
            "split" => Value::Bool(state.split),
            "wrongs" => Value::set(std::collections::BTreeSet::new()),
            other => panic!("Context.tla has no variable {other}"),
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
