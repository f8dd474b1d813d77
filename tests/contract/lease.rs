//! The lease: `Lease.tla`, two actors.

use failproof_spec::{Labels, LeaseContract, PairCode, PairState, Side, Token};
use tla_checker::ast::Value;

use super::Kept;
use crate::contract_compiler::{Call, Spelled, Variables, model_value, string};

impl Kept for PairCode {
    const FOLDER: &str = "election";
    const MODULE: &str = "Lease";
    const INVARIANTS: &[&str] = &["AtMostOneWorkingPrimary", "NoStaleEffect", "SealedBeforeWork"];

    fn strict() -> &'static LeaseContract {
        LeaseContract::strict()
    }

    fn permissive() -> &'static LeaseContract {
        LeaseContract::permissive()
    }

    fn perturbed(mut state: PairState, what: usize, how: usize) -> PairState {
        match what % 12 {
            0 | 1 => state.works[what % 2] ^= true,
            2 | 3 => state.doubted[what % 2] ^= true,
            4 | 5 => state.token[what % 2] = Token::ALL[how % 3],
            6 => state.stained ^= true,
            7 => state.owner = [None, Some(Side::A), Some(Side::B)][how % 3],
            _ => {}
        }
        state
    }
}

impl Spelled for PairCode {
    fn calls() -> Vec<Call<Labels>> {
        let call = |(action, side): (failproof_spec::Action, Side)| Call {
            label: action.label(side),
            name: action.name(),
            actor: action.has_actor().then(|| actor(side)),
        };
        Labels::each().map(call).collect()
    }

    fn read(variables: &Variables<'_>) -> Result<PairState, String> {
        let set = |name: &str| {
            Ok::<_, String>([variables.holds(name, &actor(Side::A))?, variables.holds(name, &actor(Side::B))?])
        };
        let token = |side| variables.one_of("token", Some(&actor(side)), &Token::ALL, |token| string(token.name()));
        Ok(PairState {
            owner: variables.one_of("owner", None, &[None, Some(Side::A), Some(Side::B)], owner)?,
            works: set("works")?,
            doubted: set("doubted")?,
            token: [token(Side::A)?, token(Side::B)?],
            stained: variables.is_true("stained")?,
        })
    }

    fn write(state: PairState, variable: &str) -> Value {
        let sides = [Side::A, Side::B];
        let set = |members: [bool; 2]| {
            Value::set(sides.into_iter().filter(|side| members[*side as usize]).map(actor).collect())
        };
        match variable {
            "owner" => owner(state.owner),
            "works" => set(state.works),
            "doubted" => set(state.doubted),
            "token" => {
                let token = |side| (actor(side), string(state.token[side as usize].name()));
                Value::func(sides.into_iter().map(token).collect())
            }
            "stained" => Value::Bool(state.stained),
            other => panic!("Lease.tla has no variable {other}"),
        }
    }
}

fn actor(side: Side) -> Value {
    model_value(&side.to_string())
}

fn owner(owner: Option<Side>) -> Value {
    owner.map_or_else(|| model_value("Nobody"), actor)
}
