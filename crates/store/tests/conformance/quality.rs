//! Sums of playbacks: rows of nodes add up, whatever they are told by.

use domain::Micros;
use store::quality::{self, By, Figures, Place};
use testkit::Database;

use crate::commit;

on_both_engines!(rows_of_all_nodes_add_up, old_minutes_are_forgotten);

const fn minute(n: i64) -> Micros {
    Micros(n * Micros::MINUTE)
}

async fn rows_of_all_nodes_add_up(database: Database) {
    let store = database.store().await.unwrap();
    let more = Figures { starts: 1, playing_ms: 50_000, stalled_ms: 500, ..Figures::default() };
    for (at, edge, video, node) in [
        (10, "a", "v1", "n1"),
        (10, "a", "v1", "n1"),
        (10, "a", "v1", "n2"),
        (11, "b", "v1", "n1"),
        (24, "b", "v2", "n1"),
    ] {
        let place = Place { minute: minute(at), edge, video, node };
        commit!(store, |tx| quality::add(tx, place, &more));
        commit!(store, |tx| quality::add_starts(tx, place, 7, 2));
    }
    let mut reader = store.reader().await.unwrap();
    let told = async |reader: &mut store::Reader, by, since, limit| {
        let rows = quality::sums(reader, by, since, limit).await.unwrap();
        rows.into_iter().map(|row| (row.name, row.figures.starts, row.figures.playing_ms)).collect::<Vec<_>>()
    };
    let of = |name: &str, n: i64| (name.to_owned(), n, n * 50_000);
    assert_eq!(told(&mut reader, By::Edge, minute(0), 9).await, [of("a", 3), of("b", 2)]);
    assert_eq!(told(&mut reader, By::Edge, minute(11), 9).await, [of("b", 2)]);
    assert_eq!(told(&mut reader, By::Title, minute(0), 1).await, [of("v1", 4)]);
    let quarter = minute(15).0;
    assert_eq!(
        told(&mut reader, By::Time(quarter), minute(0), 9).await,
        [of("0", 4), of(&quarter.to_string(), 1)]
    );
    let mut starts = quality::starts(&mut reader, By::Edge, minute(0)).await.unwrap();
    starts.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(starts.iter().map(|row| (row.bucket, row.starts)).collect::<Vec<_>>(), [(7, 6), (7, 4)]);
    drop(reader);

    let place = |edge, node| Place { minute: minute(0), edge, video: "v1", node };
    for (edge, node, at) in [("a", "n1", 100), ("a", "n2", 200), ("b", "n2", 200)] {
        commit!(store, |tx| quality::set_now(tx, place(edge, node), 3, Micros(at)));
    }
    let mut now = quality::now(&mut store.reader().await.unwrap(), Micros(100)).await.unwrap();
    now.sort();
    assert_eq!(now, [("a".to_owned(), "v1".to_owned(), 6), ("b".to_owned(), "v1".to_owned(), 3)]);
    commit!(store, |tx| quality::clear_now(tx, "n2"));
    assert_eq!(quality::now(&mut store.reader().await.unwrap(), Micros(101)).await.unwrap(), []);
}

async fn old_minutes_are_forgotten(database: Database) {
    let store = database.store().await.unwrap();
    for n in [1, 2] {
        let place = Place { minute: minute(n), edge: "a", video: "", node: "n" };
        commit!(store, |tx| quality::add(tx, place, &Figures { starts: 1, ..Figures::default() }));
        commit!(store, |tx| quality::add_starts(tx, place, 0, 1));
    }
    commit!(store, |tx| quality::prune(tx, minute(2)));
    let mut reader = store.reader().await.unwrap();
    assert_eq!(quality::sums(&mut reader, By::Edge, minute(0), 9).await.unwrap()[0].figures.starts, 1);
    assert_eq!(quality::starts(&mut reader, By::Edge, minute(0)).await.unwrap()[0].starts, 1);
    assert_eq!(quality::position(&mut reader, "n").await.unwrap(), None);
    drop(reader);
    for (segment, byte) in [(1, 100), (2, 8)] {
        commit!(store, |tx| quality::set_position(tx, "n", segment, byte, Micros(1)));
        let mut reader = store.reader().await.unwrap();
        assert_eq!(quality::position(&mut reader, "n").await.unwrap(), Some((segment, byte)));
    }
}
