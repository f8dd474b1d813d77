//! Lookups: what a read shows, and what it does.

use super::*;

fn catalog(rules: Rules) -> Catalog {
    let mut written = Written::new(rules, 100);
    written.write(registered(web(1, 1)));
    written.write(registered(web(2, 1)));
    written.write(registered(InstanceId { key: MAIL, ..web(1, 5) }));
    written.put(Entry::Unknown(9), at(4));
    fold(rules, &written.log, 100)
}

fn ports(lookup: &Lookup) -> Vec<u16> {
    lookup.instances.iter().map(|instance| instance.place.port).collect()
}

/// C1: published, somebody looks, and everybody who is stale is deregistered. Hardened, a read is a read.
#[test]
fn a_lookup_deregisters_under_published_rules_only() {
    let stale = [web(1, 1), web(2, 1)];
    let published = look_up(&catalog(Rules::published()), WEB, &stale);
    let removals = stale.map(|instance| Event::Deregistered { instance, cause: Cause::Stale });
    assert_eq!((ports(&published), &published.appends[..]), (Vec::new(), &removals[..]));
    let hardened = look_up(&catalog(Rules::hardened()), WEB, &stale);
    assert_eq!((ports(&hardened), &hardened.appends[..]), ([1, 2].to_vec(), &[][..]));
}

/// C11: published, a stale instance of one service hides that of another one on the same address and port.
#[test]
fn a_stale_instance_hides_others_under_published_rules_only() {
    let stale = [InstanceId { key: MAIL, ..web(1, 5) }];
    assert_eq!(ports(&look_up(&catalog(Rules::published()), WEB, &stale)), [2]);
    let full = Rules { identity: Identity::Full, ..Rules::published() };
    assert_eq!(ports(&look_up(&catalog(full), WEB, &stale)), [1, 2]);
    assert_eq!(ports(&look_up(&catalog(full), MAIL, &stale)), []);
}

/// C10: what may be missing is said.
#[test]
fn a_lookup_says_where_it_stands_and_what_may_be_missing() {
    let hardened = catalog(Rules::hardened());
    let lookup = look_up(&hardened, WEB, &[]);
    assert_eq!((lookup.at, lookup.incomplete_from), (hardened.position(), Some(Offset(3))));
    assert_eq!(look_up(&catalog(Rules::published()), WEB, &[]).incomplete_from, None);
}
