//! What a file says that every site has.

use super::*;

#[test]
fn what_a_file_says_is_the_same_wherever_it_is_said() {
    let furnish = |order: [u32; 3]| {
        let mut directory = Directory::new(Platform::Rfp);
        for n in order {
            let ppn = directory.plant_device(NewDevice::new(ipei(n))).unwrap().ppn.unwrap();
            let new = NewUser::new(number(n), Secret::new("geheim"));
            directory.plant_user(NewUser { relation: Some((Kind::Dynamic, ppn)), ..new }).unwrap();
        }
        directory
    };
    let (one, other) = (furnish([1, 2, 3]), furnish([3, 1, 2]));
    for n in 1..=3 {
        let (a, b) = (one.user(&number(n)).unwrap(), other.user(&number(n)).unwrap());
        assert_eq!((a.id, a.edited, &a.admin), (b.id, b.edited, &b.admin));
        assert!(a.edited < Stamp { ms: 1_100_000_000_000, ctr: 0, omm: HERE }, "older than any edit");
    }
}

#[test]
fn a_file_planted_at_once_is_what_it_is_planted_one_by_one() {
    let device = |n: u32| NewDevice::new(ipei(n));
    let user = |n: u32, ppn| NewUser {
        relation: Some((Kind::Dynamic, ppn)),
        ..NewUser::new(number(n), Secret::new("geheim"))
    };
    let (mut each, mut all) = (Directory::new(Platform::Rfp), Directory::new(Platform::Rfp));
    for n in 1..=40 {
        let ppn = each.plant_device(device(n)).unwrap().ppn.unwrap();
        each.plant_user(user(n, ppn)).unwrap();
    }
    let rows = all.plant_devices((1..=40).map(device)).unwrap();
    all.plant_users((1..=40).zip(&rows).map(|(n, ppn)| user(n, *ppn))).unwrap();
    assert_eq!(each.digest(), all.digest());
    assert!(each.users().eq(all.users()) && each.devices().eq(all.devices()));

    let twice = all.plant_devices([device(41), device(41)]).unwrap_err();
    assert_eq!(twice, Refusal::DeviceExists(ipei(41)));
    let free = all.device(ipei(41)).expect("the first of them is there").ppn;
    let twice = all.plant_users([user(41, free), user(42, free)]).unwrap_err();
    assert_eq!(twice, Refusal::Occupied { device: ipei(41), by: number(41) });
    let twice = all.plant_users([
        NewUser::new(number(43), Secret::new("x")),
        NewUser::new(number(43), Secret::new("x")),
    ]);
    assert_eq!(twice.unwrap_err(), Refusal::NumberExists(number(43)));
    let room = Platform::Rfp.phones_max() as u32 - 41;
    let full = all.plant_devices((100..=100 + room).map(device)).unwrap_err();
    assert_eq!(full, Refusal::DevicesFull(Platform::Rfp.phones_max()));
    assert_eq!(all.devices().len(), Platform::Rfp.phones_max());
}
