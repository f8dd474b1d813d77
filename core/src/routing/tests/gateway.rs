//! A gateway: whom it asks.

use super::*;

fn gateway(rules: Rules) -> Gateway {
    Gateway::new(GatewayConfig { gateway: 2, servers: SERVERS, refresh: INTERVAL, rules }, 7)
}

fn feed(gateway: &mut Gateway, now: Instant, input: GatewayInput<'_>) -> Vec<Output> {
    let mut outputs = Vec::new();
    gateway.handle(now, input, &mut outputs);
    outputs
}

/// Alias `n` on host `10 + n`.
fn view(live: &[bool]) -> View {
    let row = |(n, live): (usize, &bool)| AliasRow { live: *live, host: Host(10 + n as u16), load: 0 };
    View::new(live.iter().enumerate().map(row))
}

/// A gateway that sees these aliases.
fn seeing(rules: Rules, live: &[bool]) -> Gateway {
    let mut gateway = gateway(rules);
    let outputs = feed(&mut gateway, at(0), GatewayInput::Timer);
    assert_eq!(outputs, [Output::Send(Target::Store, Message::Look { tag: 1, alias: None })]);
    let message = Message::View { tag: 1, view: view(live), degraded: None };
    assert_eq!(feed(&mut gateway, at(0), GatewayInput::Message(&message)), []);
    gateway
}

/// The server that a request is sent to; `None` if the client is told that there is nobody.
fn asked(gateway: &mut Gateway, verb: Verb, avoid_main: bool) -> Option<Host> {
    let request = Request { client: 4, number: 9, verb, avoid_main, gateway: 0 };
    let outputs = feed(gateway, at(0), GatewayInput::Message(&Message::Request(request)));
    match outputs[..] {
        [Output::Send(Target::Server(host), Message::Request(sent))] => {
            assert_eq!(sent, Request { gateway: 2, ..request });
            Some(host)
        }
        [
            Output::Send(
                Target::Client(4),
                Message::Reply(Reply { client: 4, number: 9, answer: Answer::Unavailable }),
            ),
        ] => None,
        _ => panic!("{outputs:?}"),
    }
}

#[test]
fn main_is_asked_if_it_resolves_else_the_backup() {
    let read = Verb::Read { haid: haid(0, 1, 0) };
    for (live, main_first, backup_first) in [
        ([true, true, true], Some(Host(10)), Some(Host(11))),
        ([false, true, true], Some(Host(11)), Some(Host(11))),
        ([true, false, true], Some(Host(10)), Some(Host(10))),
        ([false, false, true], None, None),
    ] {
        let mut gateway = seeing(Rules::hardened(), &live);
        assert_eq!(asked(&mut gateway, read, false), main_first, "{live:?}");
        assert_eq!(asked(&mut gateway, read, true), backup_first, "{live:?}");
    }
    let mut cold = gateway(Rules::hardened());
    assert_eq!(asked(&mut cold, read, false), None, "it knows nobody yet");
}

#[test]
fn with_nobody_named_the_published_gateway_asks_anybody() {
    let mut gateway = seeing(Rules::published(), &[false, false, true]);
    let mut times = [0; SERVERS as usize];
    for _ in 0..300 {
        let host = asked(&mut gateway, Verb::Read { haid: haid(0, 1, 0) }, false).expect("anybody");
        times[usize::from(host.0)] += 1;
    }
    assert!(times.iter().all(|times| *times > 50), "{times:?}");
}

/// Chi-squared of two degrees of freedom: 13.8 is passed by one sequence in a thousand, and this one is fixed.
#[test]
fn creations_are_spread_evenly_over_those_that_live() {
    let mut gateway = seeing(Rules::hardened(), &[true, false, true, true]);
    for verb in [Verb::Create, Verb::Adopt { id: ContextId(0) }] {
        let mut times = [0_i64; 4];
        for _ in 0..3_000 {
            let host = asked(&mut gateway, verb, false).expect("somebody lives");
            times[usize::from(host.0) - 10] += 1;
        }
        let squares: i64 = [0, 2, 3].map(|n| (times[n] - 1_000).pow(2)).iter().sum();
        assert!(times[1] == 0 && squares < 13_800, "{times:?}");
    }
    assert_eq!(asked(&mut seeing(Rules::hardened(), &[false; 3]), Verb::Create, false), None);
}

#[test]
fn a_view_that_was_overtaken_is_ignored() {
    let mut gateway = gateway(Rules::hardened());
    feed(&mut gateway, at(0), GatewayInput::Timer);
    feed(&mut gateway, at(1_000), GatewayInput::Timer);
    let [old, new, foreign] = [(1, [true, false]), (2, [false, true]), (3, [true, true])]
        .map(|(tag, live)| Message::View { tag, view: view(&live), degraded: None });
    for message in [&new, &old, &foreign, &new] {
        feed(&mut gateway, at(1_100), GatewayInput::Message(message));
        assert_eq!(*gateway.view(), view(&[false, true]), "{message:?}");
    }
}

#[test]
fn it_looks_once_in_an_interval() {
    let mut gateway = gateway(Rules::hardened());
    let looks = |gateway: &mut Gateway, ms| feed(gateway, at(ms), GatewayInput::Timer).len();
    assert_eq!([0, 0, 999, 1_000, 1_001].map(|ms| looks(&mut gateway, ms)), [1, 0, 0, 1, 0]);
    assert_eq!(gateway.deadline(), Some(at(2_000)));
}
