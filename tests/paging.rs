//! Lists, page by page, over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use proptest::prelude::*;
use sailpoint_role_mining::types::RoleMiningPotentialRoleSummary as Role;
use sailpoint_role_mining::{Client, Cursor, Error, Pager, RateLimit, RetryPolicy, fields, operations};
use sailpoint_role_mining_tenant::{Fault, PastEnd, Tenant};

mod lists;

use lists::{Answer, Ask, Habits, Server};

const ROLES: &str = "get_all_potential_role_summaries";

fn items(count: usize) -> Vec<String> {
    (0..count).map(|id| format!(r#"{{"id":"{id}"}}"#)).collect()
}

fn server(count: usize, habits: Habits) -> Server {
    let items = items(count);
    Server::start(move |ask| habits.answer(ask, &items))
}

fn pager(client: &Client) -> Pager<Role> {
    client.get_all_potential_role_summaries().paginate()
}

fn ids(roles: &[Role]) -> Vec<usize> {
    roles.iter().map(|role| role.id.as_deref().unwrap().parse().unwrap()).collect()
}

async fn all(pager: Pager<Role>) -> Vec<usize> {
    ids(&pager.all().await.unwrap())
}

async fn tenant() -> (Tenant, Client) {
    let tenant = Tenant::builder().identities(600).start().await.unwrap();
    let client = Client::builder(tenant.base_url())
        .credentials(tenant.client_id(), tenant.client_secret())
        .retry(RetryPolicy { base: Duration::from_millis(1), ..RetryPolicy::default() });
    (tenant, client.build().unwrap())
}

#[tokio::test]
async fn every_list_of_the_tenant_is_read_whole() {
    let (tenant, client) = tenant().await;
    let whole = client.get_all_potential_role_summaries().send().await.unwrap().into_inner();
    assert!(whole.len() > 5, "{}", whole.len());
    for prefetch in [1, 4] {
        let pager = pager(&client).page_size(2).prefetch(prefetch);
        assert_eq!(pager.total().await.unwrap(), whole.len() as u64);
        let roles: Vec<Role> = pager.items().try_collect().await.unwrap();
        assert_eq!(roles, whole);
    }
    let role = &whole[0];
    let session = role.session.as_ref().unwrap().id.clone().unwrap();
    let id = role.id.clone().unwrap();
    let identities = client.get_identities_potential_role().session_id(&*session).potential_role_id(&*id);
    let read = identities.clone().paginate().page_size(3).prefetch(3).all().await.unwrap();
    assert_eq!(read, identities.send().await.unwrap().into_inner());
    let sessions = client.get_role_mining_sessions();
    let read = sessions.clone().paginate().page_size(1).all().await.unwrap();
    assert_eq!(read, sessions.send().await.unwrap().into_inner());
    let lists = operations::ALL.iter().filter(|operation| operation.page.is_some()).count();
    assert!(lists >= 10, "{lists}");
    drop(tenant);
}

#[tokio::test]
async fn what_was_asked_for_is_asked_for_on_every_page() {
    let (tenant, client) = tenant().await;
    let sessions =
        client.get_role_mining_sessions().filters(fields::get_role_mining_sessions::SAVED.eq(true));
    let sessions = sessions.paginate().page_size(1).all().await.unwrap();
    assert!(!sessions.is_empty() && sessions.iter().all(|session| session.saved == Some(true)));
    let record = tenant.record();
    let asked: Vec<_> = record
        .iter()
        .filter(|request| request.operation.as_deref() == Some("get_role_mining_sessions"))
        .collect();
    assert_eq!(asked.len(), sessions.len() + 1);
    assert!(asked.iter().all(|request| request.parameter("filters").unwrap() == "saved eq true"));
    assert!(asked.iter().all(|request| request.parameter("count").is_none()));
}

#[tokio::test]
async fn a_size_that_is_a_multiple_of_the_page_ends_well() {
    for past_end_400 in [false, true] {
        for never_counts in [false, true] {
            for prefetch in [1, 3] {
                let server = server(20, Habits { past_end_400, never_counts, ..Habits::default() });
                let pager = pager(&server.client()).page_size(5).prefetch(prefetch);
                assert_eq!(all(pager).await, (0..20).collect::<Vec<_>>());
            }
        }
    }
    let tenant = Tenant::builder().sessions(4).past_end(PastEnd::BadRequest).start().await.unwrap();
    let client = Client::builder(tenant.base_url()).credentials(tenant.client_id(), tenant.client_secret());
    let sessions = client.build().unwrap().get_role_mining_sessions().paginate().page_size(2).all().await;
    assert_eq!(sessions.unwrap().len(), 4);
}

#[tokio::test]
async fn a_page_capped_below_the_limit_is_not_the_last() {
    for (cap, prefetch) in [(7, 1), (7, 4), (1, 3)] {
        let server = server(40, Habits { cap: Some(cap), ..Habits::default() });
        assert_eq!(
            all(pager(&server.client()).page_size(10).prefetch(prefetch)).await,
            (0..40).collect::<Vec<_>>()
        );
        // Pages that were asked for at the wrong offsets are few: the cap is learnt.
        assert!(server.asked() <= 40usize.div_ceil(cap) + prefetch + 1, "{} requests", server.asked());
    }
    let tenant = Tenant::builder().identities(600).page_cap(3).start().await.unwrap();
    let client = Client::builder(tenant.base_url()).credentials(tenant.client_id(), tenant.client_secret());
    let client = client.build().unwrap();
    let total = pager(&client).total().await.unwrap();
    assert!(total > 3);
    assert_eq!(pager(&client).prefetch(2).all().await.unwrap().len() as u64, total);
}

#[tokio::test]
async fn pages_of_changing_length_make_one_list() {
    let items = items(50);
    let server = Server::start(move |ask| {
        let cap = Some(1 + (ask.offset * 7) % 5);
        Habits { cap, ..Habits::default() }.answer(ask, &items)
    });
    assert_eq!(all(pager(&server.client()).page_size(5).prefetch(4)).await, (0..50).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_page_longer_than_the_limit_is_taken_as_it_is() {
    let items = items(50);
    let server =
        Server::start(move |ask| Habits::default().answer(&Ask { limit: 20, ..ask.clone() }, &items));
    assert_eq!(all(pager(&server.client()).page_size(5).prefetch(4)).await, (0..50).collect::<Vec<_>>());
    assert_eq!(all(pager(&server.client()).page_size(5).take_total(33)).await, (0..33).collect::<Vec<_>>());
}

#[tokio::test]
async fn nulls_count_as_records_and_are_no_items() {
    let mut items = items(12);
    items[3] = "null".into();
    items[8] = "null".into();
    let server = Server::start(move |ask| Habits::default().answer(ask, &items));
    for prefetch in [1, 3] {
        let pager = pager(&server.client()).page_size(4).prefetch(prefetch);
        let expected = [0, 1, 2, 4, 5, 6, 7, 9, 10, 11];
        assert_eq!(all(pager.clone()).await, expected);
        assert_eq!(all(pager.clone().take_total(6)).await, expected[..6]);
        let mut read = pager.clone().items();
        for _ in 0..5 {
            read.try_next().await.unwrap();
        }
        assert_eq!(all(pager.resume(read.cursor())).await, expected[5..]);
    }
}

#[tokio::test]
async fn no_more_is_taken_than_was_wanted() {
    let server = server(30, Habits::default());
    for (take, prefetch, requests) in [(0, 3, 0), (1, 3, 1), (10, 1, 1), (11, 1, 2), (25, 3, 3), (30, 3, 3)] {
        let before = server.asked();
        let pager = pager(&server.client()).page_size(10).prefetch(prefetch).take_total(take);
        assert_eq!(all(pager).await, (0..usize::try_from(take).unwrap()).collect::<Vec<_>>());
        assert_eq!(server.asked() - before, requests, "take {take}");
    }
    assert_eq!(all(pager(&server.client()).take_total(100)).await.len(), 30);
}

#[tokio::test]
async fn an_error_in_the_middle_is_an_error_and_the_cursor_is_before_it() {
    for status in [400, 401, 403, 404, 429, 500, 503] {
        for prefetch in [1, 3] {
            let items = items(30);
            let broken = Arc::new(Mutex::new(true));
            let is_broken = Arc::clone(&broken);
            let server = Server::start(move |ask| {
                if ask.offset == 10 && *is_broken.lock().unwrap() {
                    return Answer::new(status, "{}");
                }
                Habits::default().answer(ask, &items)
            });
            let pager = pager(&server.client()).page_size(5).prefetch(prefetch);
            let mut read = pager.clone().items();
            let mut got = Vec::new();
            let error = loop {
                match read.try_next().await {
                    Ok(role) => got.push(role.unwrap()),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.status().unwrap().as_u16(), status);
            assert_eq!(ids(&got), (0..10).collect::<Vec<_>>());
            assert!(read.try_next().await.unwrap().is_none());
            *broken.lock().unwrap() = false;
            // To another process and back.
            let text = serde_json::to_string(&read.cursor()).unwrap();
            let cursor: Cursor = serde_json::from_str(&text).unwrap();
            assert_eq!((cursor.given(), &cursor), (10, &read.cursor()));
            assert_eq!(all(pager.resume(cursor)).await, (10..30).collect::<Vec<_>>());
        }
    }
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let (tenant, client) = tenant().await;
    let whole = pager(&client).all().await.unwrap();
    tenant.fault(Fault::status(503).on(ROLES).nth(2).times(1));
    tenant.fault(Fault::reset().on(ROLES).nth(4).times(1));
    tenant.fault(Fault::status(401).on(ROLES).nth(6).times(1));
    tenant.fault(Fault::truncate(100).on(ROLES).nth(8).times(1));
    assert_eq!(pager(&client).page_size(2).prefetch(3).all().await.unwrap(), whole);
}

#[tokio::test]
async fn an_empty_page_before_the_end_is_an_error() {
    for prefetch in [1, 3] {
        let items = items(30);
        let server = Server::start(move |ask| match ask.offset {
            10 => Answer::new(200, "[]"),
            _ => Habits::default().answer(ask, &items),
        });
        let error =
            pager(&server.client()).page_size(5).prefetch(prefetch).with_total().all().await.unwrap_err();
        assert!(error.is_pagination(), "{error}");
        assert!(error.to_string().contains("offset 10 is empty, though there are 30"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_ignores_the_offset_is_found_out() {
    for (items, total) in
        [(items(30), true), (items(30), false), (vec![r#"{"name":"same"}"#.to_owned(); 30], true)]
    {
        for prefetch in [1, 3] {
            let items = items.clone();
            let server = Server::start(move |ask| {
                let habits = Habits { never_counts: !total, ..Habits::default() };
                habits.answer(&Ask { offset: 0, ..ask.clone() }, &items)
            });
            let result = pager(&server.client()).page_size(5).prefetch(prefetch).all().await;
            match result {
                // Items that are all the same and have no id are told apart by the total alone.
                Ok(read) => assert!(items_are_alike(&read) && read.len() == 30, "{}", read.len()),
                Err(error) => {
                    assert!(error.is_pagination(), "{error}");
                    assert!(error.to_string().contains("does not heed the offset"), "{error}");
                }
            }
            assert!(server.asked() < 15);
        }
    }
}

fn items_are_alike(items: &[Role]) -> bool {
    items.iter().all(|item| item.id.is_none() && *item == items[0])
}

#[tokio::test]
async fn items_that_are_alike_are_no_repetition() {
    let items = vec![r#"{"name":"same"}"#.to_owned(); 12];
    let server = Server::start(move |ask| Habits::default().answer(ask, &items));
    for prefetch in [1, 3] {
        assert_eq!(pager(&server.client()).page_size(2).prefetch(prefetch).all().await.unwrap().len(), 12);
    }
}

#[tokio::test]
async fn a_list_that_shrinks_or_grows_is_read_to_its_end() {
    for (then, prefetch) in [(14, 1), (14, 3), (15, 3), (27, 1), (27, 3), (20, 3)] {
        for past_end_400 in [false, true] {
            let server = Server::start(move |ask| {
                // It changes when ten were read.
                let items = items(if ask.number == 0 || (1..10).contains(&ask.offset) { 20 } else { then });
                Habits { past_end_400, ..Habits::default() }.answer(ask, &items)
            });
            let mut read = pager(&server.client()).page_size(5).prefetch(prefetch).with_total().items();
            let mut got = Vec::new();
            while let Some(role) = read.try_next().await.unwrap() {
                got.push(role);
            }
            assert_eq!(ids(&got), (0..then).collect::<Vec<_>>(), "20 and then {then}, prefetch {prefetch}");
            let change = (then != 20).then_some((20, then as u64));
            assert_eq!(read.total_change(), change, "20 and then {then}, prefetch {prefetch}");
        }
    }
}

#[tokio::test]
async fn the_total_is_asked_for_once_and_only_when_needed() {
    let counted = Arc::new(Mutex::new(Vec::new()));
    let (seen, items) = (Arc::clone(&counted), items(30));
    let server = Server::start(move |ask| {
        seen.lock().unwrap().push(ask.count);
        Habits::default().answer(ask, &items)
    });
    let expect = |expected: &[bool]| assert_eq!(std::mem::take(&mut *counted.lock().unwrap()), expected);
    pager(&server.client()).page_size(10).all().await.unwrap();
    expect(&[false, false, false, false]);
    pager(&server.client()).page_size(20).prefetch(2).all().await.unwrap();
    expect(&[true, false]);
    let mut read = pager(&server.client()).page_size(20).with_total().items();
    assert_eq!(read.total(), None);
    read.try_next().await.unwrap();
    assert_eq!(read.total(), Some(30));
    expect(&[true]);
    assert_eq!(pager(&server.client()).total().await.unwrap(), 30);
    expect(&[true]);
}

#[tokio::test]
async fn no_more_than_so_many_pages_are_held_and_none_after_the_drop() {
    let server = server(200, Habits::default());
    let mut read = pager(&server.client()).page_size(10).prefetch(4).items();
    let mut got = 0;
    for _ in 0..75 {
        read.try_next().await.unwrap().unwrap();
        got += 1;
        if got == 15 || got == 75 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            // The one in hand, and three.
            let page = (got - 1) / 10;
            assert!(server.asked() <= page + 4, "{} requests for {got} items", server.asked());
        }
    }
    drop(read);
    let before = server.asked();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(server.asked(), before);
}

#[tokio::test]
async fn pages_are_fetched_together_and_come_in_order() {
    let items = items(80);
    let server = Server::start(move |ask| {
        // Later pages answer sooner.
        let delay = Duration::from_millis(60 - (ask.offset as u64 % 40));
        Answer { delay, ..Habits::default().answer(ask, &items) }
    });
    assert_eq!(all(pager(&server.client()).page_size(10).prefetch(4)).await, (0..80).collect::<Vec<_>>());
    let most = server.most.load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!(most, 4);
}

#[tokio::test]
async fn other_calls_pass_while_pages_wait_for_their_turn() {
    let server = server(40, Habits::default());
    let limit = RateLimit { requests: 4, per: Duration::from_millis(50) };
    let client = server.builder().rate_limit(limit).concurrency(2).build().unwrap();
    let mut read = pager(&client).page_size(10).prefetch(4).items();
    let read = async {
        while let Some(_role) = read.try_next().await? {
            client.get_role_mining_sessions().limit(1).send().await?;
        }
        Ok::<(), Error>(())
    };
    tokio::time::timeout(Duration::from_secs(10), read).await.expect("it hangs").unwrap();
}

#[tokio::test]
async fn it_fits_where_streams_fit() {
    let server = server(30, Habits::default());
    let client = server.client();
    let spawned = tokio::spawn(pager(&client).page_size(7).prefetch(2).all()).await.unwrap();
    assert_eq!(spawned.unwrap().len(), 30);
    let seen = Mutex::new(Vec::new());
    let stream = pager(&client).page_size(7).items();
    stream
        .for_each_concurrent(4, |role| {
            seen.lock().unwrap().push(role.unwrap());
            std::future::ready(())
        })
        .await;
    assert_eq!(ids(&seen.into_inner().unwrap()), (0..30).collect::<Vec<_>>());
    let lengths: Vec<usize> =
        pager(&client).page_size(7).pages().map_ok(|page| page.len()).try_collect().await.unwrap();
    assert_eq!(lengths, [7, 7, 7, 7, 2]);
    let mut pages = pager(&client).page_size(7).pages();
    pages.try_next().await.unwrap();
    assert_eq!(pages.cursor().given(), 7);
    let all = pager(&client).page_size(7);
    let all =
        client.get_all_potential_role_summaries().offset(25).limit(2).paginate().all().await.map(|_| all);
    assert_eq!(ids(&all.unwrap().resume(pages.cursor()).all().await.unwrap()), (7..30).collect::<Vec<_>>());
    let rest = client.get_all_potential_role_summaries().offset(25).limit(2).paginate();
    assert_eq!(ids(&rest.all().await.unwrap()), (25..30).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cursor_fits_its_own_list_alone() {
    let server = server(30, Habits::default());
    let client = server.client();
    let mut read = pager(&client).items();
    read.try_next().await.unwrap();
    let cursor = read.cursor();
    let other = client.get_all_potential_role_summaries().filters("quality ge 5").paginate();
    let error = other.resume(cursor.clone()).all().await.unwrap_err();
    assert!(error.is_invalid_request(), "{error}");
    let error = client.get_role_mining_sessions().paginate().resume(cursor).all().await.unwrap_err();
    assert!(error.to_string().contains("the cursor is of another list"), "{error}");
}

#[tokio::test]
async fn a_list_that_has_no_key_tells_of_a_change_in_consistent_mode() {
    let server =
        Server::start(|ask| Habits::default().answer(ask, &items(if ask.number < 2 { 20 } else { 19 })));
    let sessions = server.client().get_role_mining_sessions().paginate().page_size(5).consistent();
    let mut read = sessions.clone().items();
    let mut got = 0;
    let error = loop {
        match read.try_next().await {
            Ok(_) => got += 1,
            Err(error) => break error,
        }
    };
    assert!(error.is_pagination() && error.to_string().contains("had 20 items and now has 19"), "{error}");
    assert_eq!(got, 10);
    assert_eq!(sessions.resume(read.cursor()).all().await.unwrap().len(), 9);
}

#[tokio::test]
async fn consistent_mode_keeps_the_callers_filters_and_order() {
    let (tenant, client) = tenant().await;
    let field = fields::get_all_potential_role_summaries::QUALITY;
    let roles =
        client.get_all_potential_role_summaries().filters(field.ge(1) | field.ge(2)).sorters(field.desc());
    let whole = roles.clone().send().await.unwrap().into_inner();
    tenant.clear_record();
    let read = roles.paginate().page_size(2).consistent().all().await.unwrap();
    assert_eq!(read, whole);
    let record = tenant.record();
    let second = record[1].parameter("filters").unwrap();
    let quality = whole[1].quality.unwrap();
    assert_eq!(second, format!("(quality ge 1 or quality ge 2) and quality le {quality}"));
    assert!(record.iter().all(|request| request.parameter("sorters").unwrap() == "-quality"));
    let error = client.get_all_potential_role_summaries().sorters("createdDate").paginate().consistent();
    let error = error.all().await.unwrap_err();
    assert!(error.is_invalid_request() && error.to_string().contains("`freshness`, `quality`"), "{error}");
}

#[tokio::test]
async fn consistent_mode_notices_rows_that_moved() {
    let (tenant, client) = tenant().await;
    let field = fields::get_all_potential_role_summaries::QUALITY;
    let roles = client.get_all_potential_role_summaries().sorters(field.asc());
    let whole = roles.clone().send().await.unwrap().into_inner();
    tenant.fault(Fault::shifted(-1).on(ROLES).nth(2).times(4));
    assert_eq!(roles.paginate().page_size(2).consistent().all().await.unwrap(), whole);
}

#[tokio::test]
async fn a_server_that_ignores_the_offset_is_found_out_in_consistent_mode() {
    for key in ["freshness", "quality"] {
        // The second is not the key: it is as if the items had none.
        let items: Vec<String> = (0..30).map(|id| format!(r#"{{"id":"{id}","{key}":7}}"#)).collect();
        let server =
            Server::start(move |ask| Habits::default().answer(&Ask { offset: 0, ..ask.clone() }, &items));
        let error = pager(&server.client()).page_size(5).consistent().all().await.unwrap_err();
        assert!(error.is_pagination() && error.to_string().contains("does not heed the offset"), "{error}");
        assert!(server.asked() < 30, "{} requests", server.asked());
    }
}

#[test]
fn streams_go_to_other_threads() {
    fn goes<T: Send + Unpin + 'static>() {}
    goes::<Pager<Role>>();
    goes::<sailpoint_role_mining::Items<Role>>();
    goes::<sailpoint_role_mining::Pages<Role>>();
}

/// What may happen to a list, and to its reader.
#[derive(Clone, Debug)]
struct Case {
    count: usize,
    size: u32,
    prefetch: usize,
    take: Option<u64>,
    habits: Habits,
    /// The requests that fail, and how; 0 is a connection that breaks.
    faults: Vec<(usize, u16)>,
    /// How many items are read before the stream is dropped, each time.
    drops: Vec<usize>,
}

prop_compose! {
    fn case()(
        count in 0..60usize,
        size in 1..12u32,
        prefetch in 1..6usize,
        take in proptest::option::of(0..70u64),
        cap in proptest::option::of(1..12usize),
        past_end_400: bool,
        never_counts: bool,
        faults in proptest::collection::vec((0..40usize, proptest::sample::select(vec![0u16, 401, 403, 429, 500, 502, 503])), 0..6),
        drops in proptest::collection::vec(0..30usize, 0..4),
    ) -> Case {
        Case { count, size, prefetch, take, habits: Habits { cap, past_end_400, never_counts }, faults, drops }
    }
}

/// Reads a list in spite of all, going on from the cursor after each error and each drop.
async fn read_in_spite(pager: Pager<Role>, drops: &[usize]) -> Result<Vec<Role>, Error> {
    let mut got = Vec::new();
    let mut drops = drops.iter();
    let mut cursor: Option<String> = None;
    for _ in 0..100 {
        let pager = match &cursor {
            Some(text) => pager.clone().resume(serde_json::from_str(text).unwrap()),
            None => pager.clone(),
        };
        let mut items = pager.items();
        let mut left = drops.next().copied().unwrap_or(usize::MAX);
        loop {
            cursor = Some(serde_json::to_string(&items.cursor()).unwrap());
            if left == 0 {
                break;
            }
            left -= 1;
            match items.try_next().await {
                Ok(Some(item)) => got.push(item),
                Ok(None) => return Ok(got),
                Err(error) if error.is_transient() || error.is_auth() => break,
                Err(error) => return Err(error),
            }
        }
    }
    panic!("no end");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn no_item_is_lost_repeated_or_out_of_order() {
    let runtime = runtime();
    proptest!(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() }, |(case in case())| {
        let (items, habits, faults) = (items(case.count), case.habits.clone(), case.faults.clone());
        let server = Server::start(move |ask| match faults.iter().find(|(number, _)| *number == ask.number) {
            Some((_, status)) => Answer::new(*status, "{}"),
            None => habits.answer(ask, &items),
        });
        let got = runtime.block_on(async {
            let mut pager = pager(&server.client()).page_size(case.size).prefetch(case.prefetch);
            if let Some(take) = case.take {
                pager = pager.take_total(take);
            }
            tokio::time::timeout(Duration::from_secs(20), read_in_spite(pager, &case.drops)).await.expect("it hangs")
        });
        let expected: Vec<usize> = (0..case.count.min(case.take.map_or(usize::MAX, |take| take as usize))).collect();
        prop_assert_eq!(ids(&got.unwrap()), expected);
    });
}

/// A row of a list that others change: a key that is not unique, and an id.
type Row = (u32, usize);

/// What others do to the list before a request: rows to insert, by key, and rows to delete, by place.
type Change = (Vec<u32>, Vec<usize>);

#[derive(Clone, Debug)]
struct Changing {
    rows: Vec<u32>,
    changes: Vec<Change>,
    size: u32,
    habits: Habits,
    drops: Vec<usize>,
    descending: bool,
}

prop_compose! {
    fn changing()(
        keys in 1..8u32,
        descending: bool,
        past_end_400: bool,
        cap in proptest::option::of(2..6usize),
        size in 1..8u32,
        drops in proptest::collection::vec(0..20usize, 0..3),
        rows in proptest::collection::vec(0..8u32, 0..40),
        changes in proptest::collection::vec(
            (proptest::collection::vec(0..8u32, 0..3), proptest::collection::vec(0..60usize, 0..3)), 0..30),
    ) -> Changing {
        // Few keys are shared by many rows.
        let few = |rows: Vec<u32>| rows.into_iter().map(|key| key % keys).collect::<Vec<_>>();
        let changes = changes.into_iter().map(|(inserts, deletes)| (few(inserts), deletes)).collect();
        let habits = Habits { cap, past_end_400, never_counts: false };
        Changing { rows: few(rows), changes, size, habits, drops, descending }
    }
}

#[test]
fn in_consistent_mode_rows_that_stay_come_once_whatever_happens_to_others() {
    let runtime = runtime();
    proptest!(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() }, |(case in changing())| {
        let rows: Vec<Row> = case.rows.iter().copied().zip(0..).collect();
        let state = Arc::new(Mutex::new((rows.clone(), rows.len())));
        let (shared, script) = (Arc::clone(&state), case.clone());
        let server = Server::start(move |ask| {
            let (rows, next) = &mut *shared.lock().unwrap();
            if let Some((inserts, deletes)) = script.changes.get(ask.number).filter(|_| ask.number > 0) {
                for key in inserts {
                    rows.push((*key, *next));
                    *next += 1;
                }
                for place in deletes {
                    if *place < rows.len() {
                        rows.remove(*place);
                    }
                }
            }
            let bound = ask.filters.rsplit(' ').next().and_then(|bound| bound.parse::<u32>().ok());
            let sign = |key: u32| if script.descending { -i64::from(key) } else { i64::from(key) };
            let mut list: Vec<Row> = rows.clone();
            list.retain(|(key, _)| bound.is_none_or(|bound| sign(*key) >= sign(bound)));
            // Among rows with the same key, the latest comes first: what is new pushes what is old on.
            list.sort_by_key(|(key, id)| (sign(*key), std::cmp::Reverse(*id)));
            let items: Vec<String> =
                list.iter().map(|(key, id)| format!(r#"{{"id":"{id}","quality":{key}}}"#)).collect();
            assert_eq!(ask.sorters, if script.descending { "-quality" } else { "quality" });
            script.habits.answer(ask, &items)
        });
        let got = runtime.block_on(async {
            let roles = server.client().get_all_potential_role_summaries();
            let field = fields::get_all_potential_role_summaries::QUALITY;
            let roles = roles.sorters(if case.descending { field.desc() } else { field.asc() });
            let pager = roles.paginate().page_size(case.size).consistent();
            tokio::time::timeout(Duration::from_secs(20), read_in_spite(pager, &case.drops)).await.expect("it hangs")
        }).unwrap();
        let got: Vec<Row> = got.iter().map(|role| u32::try_from(role.quality.unwrap()).unwrap()).zip(ids(&got)).collect();
        let mut once = got.clone();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(once.len(), got.len(), "doubled: {:?}", got);
        let in_order = got.windows(2).all(|pair| if case.descending { pair[0].0 >= pair[1].0 } else { pair[0].0 <= pair[1].0 });
        prop_assert!(in_order, "out of order: {:?}", got);
        let stayed = &state.lock().unwrap().0;
        for row in rows.iter().filter(|row| stayed.contains(row)) {
            prop_assert!(got.contains(row), "missed {:?} of {:?}", row, got);
        }
    });
}
