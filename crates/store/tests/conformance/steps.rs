//! Progress of titles as people see it.

use domain::{Micros, Role, UserId, VideoId, Visibility};
use store::{
    Error, Store,
    steps::{self, Name, State},
    users, videos,
};
use testkit::Database;

use crate::commit;

const T0: Micros = Micros(1_000_000_000);

on_both_engines!(
    steps_are_listed_in_the_order_of_the_workflow,
    a_step_is_written_over,
    units_add_up_and_the_last_ends_the_step,
    ending_leaves_finished_steps_alone,
    changes_since_are_of_the_asked_videos,
    steps_go_with_their_video,
);

pub async fn video(store: &Store) -> VideoId {
    let owner = UserId::new();
    commit!(store, |tx| users::insert(
        tx,
        &users::NewUser {
            id: owner,
            email: format!("{owner}@example.org"),
            name: "Ada".into(),
            password_hash: "x".into(),
            role: Role::Creator,
        },
        T0
    ));
    let id = VideoId::new();
    commit!(store, |tx| videos::insert(
        tx,
        &videos::NewVideo {
            id,
            owner,
            title: "A film".into(),
            description: String::new(),
            attribution: String::new(),
            visibility: Visibility::Private,
        },
        T0
    ));
    id
}

async fn lines(store: &Store, video: VideoId) -> Vec<(Name, State, i64, i64, String)> {
    let steps = steps::list(&mut store.reader().await.unwrap(), video).await.unwrap();
    steps.into_iter().map(|step| (step.name, step.state, step.done, step.total, step.message)).collect()
}

async fn steps_are_listed_in_the_order_of_the_workflow(database: Database) {
    let store = database.store().await.unwrap();
    let video = video(&store).await;
    for name in Name::ALL.into_iter().rev() {
        commit!(store, |tx| steps::set(tx, video, name, State::Waiting, 0, 0, "", T0));
    }
    let names: Vec<Name> = lines(&store, video).await.into_iter().map(|line| line.0).collect();
    assert_eq!(names, Name::ALL);
}

async fn a_step_is_written_over(database: Database) {
    let store = database.store().await.unwrap();
    let video = video(&store).await;
    commit!(store, |tx| steps::set(tx, video, Name::Upload, State::Running, 5, 10, "half", T0));
    commit!(store, |tx| steps::set(tx, video, Name::Upload, State::Done, 10, 10, "", T0.plus(3)));
    let steps = steps::list(&mut store.reader().await.unwrap(), video).await.unwrap();
    assert_eq!(lines(&store, video).await, [(Name::Upload, State::Done, 10, 10, String::new())]);
    assert_eq!((steps[0].video_id, steps[0].updated_at), (video, T0.plus(3)));
}

async fn units_add_up_and_the_last_ends_the_step(database: Database) {
    let store = database.store().await.unwrap();
    let video = video(&store).await;
    let mut tx = store.begin().await.unwrap();
    assert!(matches!(steps::add_done(&mut tx, video, Name::Encode, 1, T0).await, Err(Error::NotFound)));
    drop(tx);
    commit!(store, |tx| steps::set(tx, video, Name::Encode, State::Waiting, 0, 4, "", T0));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let store = store.clone();
        workers.spawn(async move { commit!(store, |tx| steps::add_done(tx, video, Name::Encode, 1, T0)) });
    }
    workers.join_all().await;
    assert_eq!(lines(&store, video).await, [(Name::Encode, State::Running, 3, 4, String::new())]);
    commit!(store, |tx| steps::add_done(tx, video, Name::Encode, 1, T0));
    assert_eq!(lines(&store, video).await, [(Name::Encode, State::Done, 4, 4, String::new())]);
    // Of an unknown total no unit is the last.
    commit!(store, |tx| steps::set(tx, video, Name::Audio, State::Waiting, 0, 0, "", T0));
    commit!(store, |tx| steps::add_done(tx, video, Name::Audio, 9, T0));
    assert_eq!(lines(&store, video).await[1], (Name::Audio, State::Running, 9, 0, String::new()));
}

async fn ending_leaves_finished_steps_alone(database: Database) {
    let store = database.store().await.unwrap();
    let (video, other) = (video(&store).await, self::video(&store).await);
    commit!(store, |tx| steps::set(tx, video, Name::Upload, State::Done, 1, 1, "", T0));
    commit!(store, |tx| steps::set(tx, video, Name::Probe, State::Running, 0, 1, "", T0));
    commit!(store, |tx| steps::set(tx, video, Name::Encode, State::Waiting, 0, 0, "", T0));
    commit!(store, |tx| steps::set(tx, other, Name::Probe, State::Running, 0, 1, "", T0));
    assert_eq!(
        commit!(store, |tx| steps::end_unfinished(tx, video, State::Failed, "The file is broken.", T0)),
        2
    );
    let why = "The file is broken.".to_owned();
    assert_eq!(
        lines(&store, video).await,
        [
            (Name::Upload, State::Done, 1, 1, String::new()),
            (Name::Probe, State::Failed, 0, 1, why.clone()),
            (Name::Encode, State::Failed, 0, 0, why)
        ]
    );
    assert_eq!(lines(&store, other).await[0].1, State::Running);
}

async fn changes_since_are_of_the_asked_videos(database: Database) {
    let store = database.store().await.unwrap();
    let (a, b, c) = (video(&store).await, video(&store).await, video(&store).await);
    for (at, video) in [a, b, c].into_iter().enumerate() {
        commit!(store, |tx| steps::set(tx, video, Name::Upload, State::Done, 1, 1, "", T0));
        commit!(store, |tx| steps::set(tx, video, Name::Probe, State::Running, 0, 1, "", T0.plus(at as i64)));
    }
    let mut reader = store.reader().await.unwrap();
    let pairs = |steps: Vec<steps::Step>| {
        steps.into_iter().map(|step| (step.video_id, step.name)).collect::<Vec<_>>()
    };
    let all = steps::list_many(&mut reader, &[a, c]).await.unwrap();
    assert_eq!(pairs(all), [(a, Name::Upload), (a, Name::Probe), (c, Name::Upload), (c, Name::Probe)]);
    let changed = steps::changed_since(&mut reader, &[a, b], T0).await.unwrap();
    assert_eq!(pairs(changed), [(b, Name::Probe)]);
    assert_eq!(steps::list_many(&mut reader, &[]).await.unwrap(), []);
}

async fn steps_go_with_their_video(database: Database) {
    let store = database.store().await.unwrap();
    let video = video(&store).await;
    commit!(store, |tx| steps::set(tx, video, Name::Upload, State::Done, 1, 1, "", T0));
    commit!(store, |tx| videos::delete(tx, video));
    assert_eq!(lines(&store, video).await, []);
}
