//! Who becomes the backup.

use crate::routing::{BackupChoice, Instance, LeastLoaded, Tenant, TenantAware, UniformBackup, choose_backup};
use crate::time::Duration;

fn instance(alias: &str, load: u32, age_s: u64, tenant: Option<u32>) -> Instance<&str> {
    Instance { alias, load, load_age: Duration::from_secs(age_s), tenant: tenant.map(Tenant) }
}

fn chosen<'v>(choice: &dyn BackupChoice<&'v str>, view: &[Instance<&'v str>], chance: u64) -> Option<&'v str> {
    choose_backup(choice, "a", view, chance).map(|instance| instance.alias)
}

#[test]
fn the_backup_is_somebody_else() {
    let view = [instance("c", 0, 0, None), instance("a", 0, 0, None), instance("b", 0, 0, None)];
    let least = LeastLoaded { load_age_max: Duration::from_secs(1) };
    assert_eq!(chosen(&UniformBackup, &view, 0), Some("c"));
    assert_eq!(chosen(&UniformBackup, &view, u64::MAX / 2 + 1), Some("b"));
    assert_eq!(chosen(&UniformBackup, &view, u64::MAX), Some("b"));
    assert_eq!(chosen(&least, &view, u64::MAX), Some("b"), "ties go to the first alias");
    for choice in [&UniformBackup as &dyn BackupChoice<_>, &least, &TenantAware { tenant: Tenant(1), among: least }] {
        assert_eq!(chosen(choice, &view[1..2], 7), None);
        assert_eq!(chosen(choice, &[], 7), None);
    }
}

#[test]
fn a_load_that_is_too_old_is_not_believed() {
    let least = LeastLoaded { load_age_max: Duration::from_secs(1) };
    let view = [instance("b", 9, 0, None), instance("c", 0, 2, None), instance("d", 8, 1, None)];
    assert_eq!(chosen(&least, &view, 0), Some("d"));
    let old = [instance("b", 9, 3, None), instance("c", 0, 2, None)];
    assert_eq!((chosen(&least, &old, 0), chosen(&least, &old, u64::MAX)), (Some("b"), Some("c")));
}

#[test]
fn another_tenants_server_is_the_last_resort() {
    let among = LeastLoaded { load_age_max: Duration::from_secs(1) };
    let aware = TenantAware { tenant: Tenant(1), among };
    let view = [instance("b", 0, 0, Some(2)), instance("c", 7, 0, Some(1)), instance("d", 5, 0, None)];
    assert_eq!((chosen(&among, &view, 0), chosen(&aware, &view, 0)), (Some("b"), Some("d")));
    assert_eq!(chosen(&aware, &view[..1], 0), Some("b"));
}
