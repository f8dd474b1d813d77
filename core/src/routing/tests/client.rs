//! A client: how it repeats, and what it remembers.

use super::*;
use alloc::vec;

const EVERY: Duration = Duration::from_secs(1);

/// A client of two gateways that creates one context.
fn client() -> Client {
    let (adopts, patience) = (Adopts::default(), PATIENCE);
    Client::new(ClientConfig { client: 4, gateways: 2, creates: 1, partner: None, adopts, every: EVERY, patience }, 7)
}

/// The requests that follow.
fn feed(client: &mut Client, now: Instant, input: ClientInput<'_>) -> Vec<Request> {
    let mut outputs = Vec::new();
    client.handle(now, input, &mut outputs);
    let sent = |output| match output {
        Output::Send(Target::Gateway(gateway), Message::Request(request)) => {
            assert_eq!((gateway, request.client), (request.gateway, 4));
            request
        }
        other => panic!("no request to a gateway: {other:?}"),
    };
    outputs.into_iter().map(sent).collect()
}

fn tick(client: &mut Client) -> (Instant, Vec<Request>) {
    let now = client.deadline().expect("it always waits for something");
    (now, feed(client, now, ClientInput::Timer))
}

fn answer(client: &mut Client, now: Instant, number: u32, answer: Answer) -> Vec<Request> {
    let reply = Message::Reply(Reply { client: 4, number, answer });
    feed(client, now, ClientInput::Message(&reply))
}

/// The context as it stands in a generation; main and backup change places with each.
fn current(generation: u32) -> Current {
    let haid = if generation % 2 == 1 { haid(0, 1, 0) } else { haid(1, 0, 0) };
    Current { id: ContextId(0), haid, generation, degraded: false }
}

/// A client whose context exists, and its first request about it.
fn working(generation: u32) -> (Client, Instant, Request) {
    let mut client = client();
    let (now, created) = tick(&mut client);
    assert_eq!(created.iter().map(|request| request.verb).collect::<Vec<_>>(), [Verb::Create]);
    assert_eq!(answer(&mut client, now, created[0].number, Answer::Context(current(generation))), []);
    let (now, requests) = tick(&mut client);
    assert_eq!((now, requests.len()), (at(1_000), 1), "the next one, after its time");
    (client, now, requests[0])
}

fn presented(request: &Request) -> HaidText {
    match request.verb {
        Verb::Change { haid, .. } | Verb::Read { haid } => haid,
        Verb::Create | Verb::Adopt { .. } => panic!("it presents no HAID: {request:?}"),
    }
}

#[test]
fn a_request_keeps_its_number_and_asks_main_and_backup_in_turns() {
    let (mut client, _, first) = working(1);
    let mut repeated = vec![first];
    for _ in 0..3 {
        repeated.extend(tick(&mut client).1);
    }
    assert_eq!(client.deadline(), Some(at(1_000 + 4 * 2_000)), "each attempt has its patience");
    let column = |of: fn(&Request) -> (u16, bool)| repeated.iter().map(of).collect::<Vec<_>>();
    assert!(repeated.iter().all(|request| (request.number, request.verb) == (first.number, first.verb)));
    let [one, other] = [first.gateway, 1 - first.gateway];
    assert_eq!(
        column(|request| (request.gateway, request.avoid_main)),
        [(one, false), (other, true), (one, false), (other, true)]
    );
}

#[test]
fn a_change_keeps_its_number_and_the_next_one_has_a_larger_one() {
    let (mut client, mut now, mut request) = working(1);
    let mut last = [0; KEYS];
    for _ in 0..40 {
        let (_, again) = tick(&mut client);
        assert_eq!(again[0].verb, request.verb);
        if let Verb::Change { key, seq, .. } = request.verb {
            assert_eq!(client.waits_for(), Some(request.number));
            assert_eq!(seq, last[usize::from(key)] + 1);
            last[usize::from(key)] = seq;
        }
        now = now + PATIENCE;
        let done = Answer::Value(current(1), [0; KEYS]);
        answer(&mut client, now, request.number, done);
        let (later, next) = tick(&mut client);
        assert!(next[0].number > request.number && later == now + EVERY);
        (now, request) = (later, next[0]);
    }
    assert!(last.iter().all(|seq| *seq > 5), "{last:?}");
}

#[test]
fn it_follows_a_move_once_at_once_then_by_the_clock() {
    let (mut client, now, first) = working(1);
    let followed = answer(&mut client, now, first.number, Answer::Moved(current(2)));
    assert_eq!(followed.len(), 1);
    assert_eq!((followed[0].number, followed[0].avoid_main), (first.number, false));
    assert_eq!(presented(&followed[0]), current(2).haid);
    assert_eq!(answer(&mut client, now, first.number, Answer::Moved(current(3))), [], "two may point at each other");
    let (later, again) = tick(&mut client);
    assert_eq!((later, again.len(), presented(&again[0])), (now + PATIENCE, 1, current(3).haid));
    assert_eq!(answer(&mut client, later, first.number, Answer::Moved(current(4))).len(), 1, "once for each attempt");
}

#[test]
fn an_older_generation_does_not_replace_a_newer_one() {
    let (mut client, now, first) = working(4);
    assert_eq!(presented(&first), current(4).haid);
    let followed = answer(&mut client, now, first.number, Answer::Moved(current(3)));
    assert_eq!(presented(&followed[0]), current(4).haid);
    answer(&mut client, now, first.number, Answer::Value(current(5), [0; KEYS]));
    let (_, next) = tick(&mut client);
    assert_eq!(presented(&next[0]), current(5).haid);
}

#[test]
fn it_waits_for_its_own_answer_and_asks_again_after_a_refusal() {
    let (mut client, now, first) = working(1);
    for answered in [Answer::Unavailable, Answer::Refused] {
        assert_eq!(answer(&mut client, now, first.number, answered), []);
    }
    let done = Answer::Value(current(1), [0; KEYS]);
    assert_eq!(answer(&mut client, now, first.number - 1, done), [], "an answer to the former request");
    let (later, again) = tick(&mut client);
    assert_eq!((later, again[0].number), (now + PATIENCE, first.number));
    // What its workflow remembers survives a start, the request under way too.
    let mut restarted = client.restarted();
    assert_eq!(restarted.deadline(), Some(Instant::ZERO));
    assert_eq!(feed(&mut restarted, later, ClientInput::Timer)[0].number, first.number);
}
