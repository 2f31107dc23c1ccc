//! Titles: what their changes tell those who keep what they read.

use domain::{Micros, Role};
use store::{steps, users, videos};
use testkit::Database;

use crate::{commit, steps::video};

const T0: Micros = Micros(1_000_000_000);

on_both_engines!(changes_of_titles_are_counted);

async fn changes_of_titles_are_counted(database: Database) {
    let store = database.store().await.unwrap();
    let video = video(&store).await;
    let owner = videos::get(&mut store.reader().await.unwrap(), video).await.unwrap().owner_id;
    let before = store.title_writes();
    let (name, state) = (steps::Name::Probe, steps::State::Running);
    commit!(store, |tx| steps::set(tx, video, name, state, 0, 1, "", T0));
    videos::get(&mut store.begin().await.unwrap(), video).await.unwrap();
    assert_eq!(store.title_writes(), before, "nothing that a title shows");

    commit!(store, |tx| videos::trash(tx, video, T0));
    let trashed = store.title_writes();
    assert!(trashed > before);
    let mut tx = store.begin().await.unwrap();
    videos::restore(&mut tx, video, T0).await.unwrap();
    assert_eq!(store.title_writes(), trashed, "it cannot be read yet");
    tx.commit().await.unwrap();
    let untrashed = store.title_writes();
    assert!(untrashed > trashed);

    let (name, role) = (Some("Eda".into()), Some(Role::Admin));
    let change = users::Edit { name, role, ..Default::default() };
    commit!(store, |tx| users::edit(tx, owner, &change, T0));
    let renamed = store.title_writes();
    assert!(renamed > untrashed, "titles show their owner's name");
    commit!(store, |tx| videos::delete(tx, video));
    assert!(store.title_writes() > renamed);
}
