//! Live events: from the plan to the recording, or to what was not kept.

use domain::{
    Audience, Country, Micros, PresentationId, UserId, VideoId, Visibility,
    event::{Latency, Settings, Slot, State},
    vocabulary::Kind,
};
use store::{
    Error, Store, clips,
    events::{self, Event, NewEvent, Which},
    jobs, library, outbox, presentations, quality, versions, videos,
};
use testkit::Database;

use crate::{commit, steps::video};

const T0: Micros = Micros(1_800_000_000_000_000);

on_both_engines!(
    an_event_goes_live_and_is_kept,
    a_clip_is_a_title_of_its_own,
    what_is_not_kept_leaves,
    lists_are_sorted_and_paged,
    keys_are_of_the_instance,
    presentations_of_files_stay_as_they_were
);

async fn owner(store: &Store) -> UserId {
    let title = video(store).await;
    videos::get(&mut store.reader().await.unwrap(), title).await.unwrap().owner_id
}

async fn event(store: &Store, owner: UserId, starts_at: Option<i64>, record: bool) -> VideoId {
    let new = NewEvent {
        id: VideoId::new(),
        owner,
        title: "Launch".into(),
        description: "We launch.".into(),
        visibility: Visibility::Public,
        settings: Settings { starts_at: starts_at.map(Micros), record, ..Settings::default() },
    };
    commit!(store, |tx| events::insert(tx, &new, T0));
    new.id
}

async fn get(store: &Store, id: VideoId) -> (videos::Video, Event) {
    let mut reader = store.reader().await.unwrap();
    (videos::get(&mut reader, id).await.unwrap(), events::get(&mut reader, id).await.unwrap())
}

fn everybody(now: Micros) -> Audience {
    Audience { viewer: None, country: None, now }
}

async fn topics(store: &Store) -> Vec<String> {
    let events = outbox::read(&mut store.reader().await.unwrap(), 0, 100).await.unwrap();
    events.into_iter().map(|event| event.topic).collect()
}

async fn an_event_goes_live_and_is_kept(database: Database) {
    let store = database.store().await.unwrap();
    let owner = owner(&store).await;
    let id = event(&store, owner, None, true).await;
    let (title, upcoming) = get(&store, id).await;
    assert_eq!(
        (title.state, title.is_event, title.kind.word()),
        (videos::State::Upcoming, true, "recording")
    );
    assert_eq!((upcoming.state(), upcoming.takes_publishers()), (State::Upcoming, true));
    assert_eq!(upcoming.settings(), Settings::default());
    assert!(!commit!(store, |tx| events::ask_end(tx, id, T0)), "it has not begun");
    let mut tx = store.begin().await.unwrap();
    assert!(matches!(events::finish(&mut tx, id, 1, true, T0).await, Err(Error::Stale)));
    drop(tx);

    let settings = Settings { latency: Latency::Standard, dvr_seconds: 60, ..Settings::default() };
    commit!(store, |tx| events::save(tx, id, &settings, T0));
    assert_eq!(get(&store, id).await.1.settings(), settings);

    // Twice, by two nodes.
    let sent = PresentationId::new();
    let writes = store.title_writes();
    let first = commit!(store, |tx| events::begin(tx, id, sent, T0.plus(1)));
    let again = commit!(store, |tx| events::begin(tx, id, PresentationId::new(), T0.plus(2)));
    assert_eq!((first, again), (sent, sent));
    assert!(store.title_writes() > writes);
    let (title, live) = get(&store, id).await;
    assert!(title.is_live() && title.state == videos::State::Ready && title.presentation() == Some(sent));
    assert_eq!(
        (live.state(), live.started_at, live.presentation()),
        (State::Live, Some(T0.0 + 1), Some(sent))
    );
    let mut reader = store.reader().await.unwrap();
    let presentation = presentations::get(&mut reader, sent).await.unwrap();
    assert_eq!((presentation.source(), presentation.state.as_str()), (None, "growing"));
    let shown = events::live_for(&mut reader, &everybody(T0), 10).await.unwrap();
    assert_eq!(shown.iter().map(|title| title.id).collect::<Vec<_>>(), [id]);
    assert_eq!(events::all_live(&mut reader).await.unwrap()[0].video_id, id);
    drop(reader);

    // Two nodes told of players, one of them long ago.
    for (node, sessions, at) in [("a", 3, T0), ("b", 4, T0.plus(9)), ("c", 5, T0.plus(9))] {
        let video = &id.to_string();
        let place = quality::Place { minute: T0, edge: "e", video, node };
        commit!(store, |tx| quality::set_now(tx, place, sessions, at));
    }
    let watching = events::watching(&mut store.reader().await.unwrap(), T0.plus(5)).await.unwrap();
    assert_eq!(watching, [(id, 9)]);

    // What stops other work does not stop an event; asking for its end does.
    assert!(!commit!(store, |tx| videos::cancelled(tx, id, T0)));
    assert!(commit!(store, |tx| events::ask_end(tx, id, T0.plus(3))));
    assert!(commit!(store, |tx| events::ask_end(tx, id, T0.plus(4))));
    let (_, ending) = get(&store, id).await;
    assert_eq!((ending.end_asked_at, ending.takes_publishers()), (Some(T0.0 + 3), false));

    commit!(store, |tx| events::finish(tx, id, 90_000, true, T0.plus(5)));
    commit!(store, |tx| events::finish(tx, id, 1, false, T0.plus(6)));
    let (title, ended) = get(&store, id).await;
    assert_eq!((title.state, title.complete, title.duration_ms), (videos::State::Ready, true, Some(90_000)));
    assert_eq!((ended.state(), ended.ended_at, title.is_live()), (State::Ended, Some(T0.0 + 5), false));
    let mut tx = store.begin().await.unwrap();
    let again = events::begin(&mut tx, id, PresentationId::new(), T0).await;
    assert!(matches!(again, Err(Error::Stale)), "an event is sent once");
    drop(tx);
    let mut reader = store.reader().await.unwrap();
    assert!(events::live_for(&mut reader, &everybody(T0), 10).await.unwrap().is_empty());
    assert_eq!(videos::list_public(&mut reader, &everybody(T0), None, 10).await.unwrap()[0].id, id);
    assert_eq!(presentations::get(&mut reader, sent).await.unwrap().state, "complete");
    assert_eq!(kinds(&store, id).await, ["glimpse", "pictures"], "once each");
    let told = ["event.started", "title.published", "event.ended", "title.complete"];
    assert_eq!(topics(&store).await, told);
    commit!(store, |tx| videos::delete(tx, id));
    assert!(matches!(events::get(&mut store.reader().await.unwrap(), id).await, Err(Error::NotFound)));
}

/// What is to be done about a title.
async fn kinds(store: &Store, id: VideoId) -> Vec<String> {
    let jobs = jobs::list(&mut store.reader().await.unwrap(), &id.to_string()).await.unwrap();
    let mut kinds: Vec<String> = jobs.into_iter().map(|job| job.kind).collect();
    kinds.sort();
    kinds
}

async fn a_clip_is_a_title_of_its_own(database: Database) {
    let store = database.store().await.unwrap();
    let owner = owner(&store).await;
    let id = event(&store, owner, None, false).await;
    let sent = PresentationId::new();
    commit!(store, |tx| events::begin(tx, id, sent, T0));
    let new = videos::NewVideo {
        id: VideoId::new(),
        owner,
        title: "The best of it".into(),
        description: String::new(),
        attribution: String::new(),
        visibility: Visibility::Private,
    };
    let piece = clips::Piece { of: sent, segments: 3..7 };
    commit!(store, |tx| clips::insert(tx, &new, id, &piece, T0));
    let mut reader = store.reader().await.unwrap();
    let clip = videos::get(&mut reader, new.id).await.unwrap();
    assert_eq!((clip.state, clip.is_event, clip.kind), (videos::State::Processing, false, Kind::Clip));
    let made = presentations::of_video(&mut reader, new.id).await.unwrap();
    assert_eq!((made.len(), made[0].source(), made[0].plan.as_deref()), (1, None, None));
    let job = &jobs::list(&mut reader, &new.id.to_string()).await.unwrap()[0];
    let payload: serde_json::Value = serde_json::from_str(&job.payload).unwrap();
    let wanted =
        serde_json::json!({ "presentation": made[0].id, "of": sent, "first": 3, "end": 7, "version": null });
    assert_eq!((job.kind.as_str(), payload), ("clip", wanted));
    commit!(store, |tx| videos::delete(tx, id));
    assert!(videos::get(&mut store.reader().await.unwrap(), new.id).await.is_ok());
}

async fn what_is_not_kept_leaves(database: Database) {
    let store = database.store().await.unwrap();
    let owner = owner(&store).await;
    let id = event(&store, owner, None, false).await;
    let sent = PresentationId::new();
    commit!(store, |tx| events::begin(tx, id, sent, T0));
    commit!(store, |tx| events::finish(tx, id, 5_000, false, T0.plus(5 * Micros::SECOND)));
    let (title, _) = get(&store, id).await;
    assert_eq!((title.state, title.presentation()), (videos::State::Ended, None));
    let mut reader = store.reader().await.unwrap();
    assert!(videos::list_public(&mut reader, &everybody(T0), None, 10).await.unwrap().is_empty());
    let version = versions::of_presentation(&mut reader, sent).await.unwrap().unwrap();
    assert_eq!(version.state, "purging");
    let waiting = jobs::list(&mut reader, &format!("version:{}", version.id)).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].kind.as_str()), (1, "discard"));
    assert_eq!(kinds(&store, id).await, ["glimpse"]);
    // Whoever has gone back as far as one can sees it to its end.
    assert_eq!(waiting[0].run_at, T0.plus((5 + 7200) * Micros::SECOND));
    assert_eq!(topics(&store).await, ["event.started", "title.published", "event.ended"]);

    // In the trash it is cancelled; out of it, it is to come again.
    let id = event(&store, owner, None, false).await;
    commit!(store, |tx| videos::trash(tx, id, T0));
    let (_, trashed) = get(&store, id).await;
    assert_eq!((trashed.state(), trashed.takes_publishers()), (State::Cancelled, false));
    let mut tx = store.begin().await.unwrap();
    assert!(matches!(events::begin(&mut tx, id, sent, T0).await, Err(Error::Stale)));
    drop(tx);
    commit!(store, |tx| videos::restore(tx, id, T0));
    assert_eq!(get(&store, id).await.1.state(), State::Upcoming);
    let counts = events::counts(&mut store.reader().await.unwrap()).await.unwrap();
    assert!(counts.contains(&(State::Ended, 1)) && counts.contains(&(State::Upcoming, 1)), "{counts:?}");
}

async fn lists_are_sorted_and_paged(database: Database) {
    let store = database.store().await.unwrap();
    let mine = owner(&store).await;
    let hour = |n: i64| Some(T0.0 + n * Micros::HOUR);
    let late = event(&store, mine, hour(2), true).await;
    let soon = event(&store, mine, hour(1), true).await;
    let someday = event(&store, mine, None, true).await;
    let missed = event(&store, mine, hour(-4), true).await;
    let page = async |which, after, limit| {
        let rows = events::list(&mut store.reader().await.unwrap(), mine, which, after, limit).await.unwrap();
        rows.into_iter().map(|event| (events::sorted_by(&event, which), event.video_id)).collect::<Vec<_>>()
    };
    let ids = |rows: &[(i64, VideoId)]| rows.iter().map(|(_, id)| *id).collect::<Vec<_>>();
    let first = page(Which::Upcoming, None, 2).await;
    assert_eq!(ids(&first), [missed, soon]);
    let second = page(Which::Upcoming, first.last().copied(), 2).await;
    assert_eq!(ids(&second), [late, someday]);
    assert!(page(Which::Upcoming, second.last().copied(), 2).await.is_empty());

    let announced = async |audience: Audience| {
        let titles = events::announced_for(&mut store.reader().await.unwrap(), &audience, 10).await.unwrap();
        titles.into_iter().map(|title| title.id).collect::<Vec<_>>()
    };
    assert_eq!(announced(everybody(T0)).await, [soon, late], "with a time that has not long passed");
    let german: Country = "DE".parse().unwrap();
    let mut tx = store.begin().await.unwrap();
    let row = library::lock(&mut tx, soon).await.unwrap();
    let fields = domain::details::Fields { countries: Some(vec![german]), ..row.fields() };
    library::save(&mut tx, &row, &fields, None, T0).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(announced(everybody(T0)).await, [late]);
    assert_eq!(announced(Audience { country: Some(german), ..everybody(T0) }).await, [soon, late]);

    for (n, id) in [soon, late].into_iter().enumerate() {
        commit!(store, |tx| events::begin(tx, id, PresentationId::new(), T0.plus(n as i64)));
    }
    let live = page(Which::Live, None, 1).await;
    assert_eq!(ids(&live), [late]);
    assert_eq!(ids(&page(Which::Live, live.last().copied(), 9).await), [soon]);
    commit!(store, |tx| events::finish(tx, late, 1, false, T0.plus(9)));
    assert_eq!(ids(&page(Which::Ended, None, 9).await), [late]);
    let both =
        events::get_all(&mut store.reader().await.unwrap(), &[soon, late, VideoId::new()]).await.unwrap();
    assert_eq!(both.len(), 2);
    assert!(
        events::list(&mut store.reader().await.unwrap(), UserId::new(), Which::Live, None, 9)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn keys_are_of_the_instance(database: Database) {
    let store = database.store().await.unwrap();
    let owner = owner(&store).await;
    let id = event(&store, owner, None, true).await;
    let keys = commit!(store, |tx| events::stream_keys(tx, "first", T0));
    let others = commit!(store, |tx| events::stream_keys(tx, "second", T0));
    let key = keys.key(id, Slot::Primary, 1);
    assert_eq!(others.slot(key.reveal(), id, 1), Some(Slot::Primary), "one secret for all");
    assert_eq!(commit!(store, |tx| events::rotate_keys(tx, id, T0)), 2);
    let (_, event) = get(&store, id).await;
    assert_eq!(keys.slot(key.reveal(), id, event.key_generation), None);
    let mut tx = store.begin().await.unwrap();
    assert!(matches!(events::rotate_keys(&mut tx, VideoId::new(), T0).await, Err(Error::NotFound)));
}

async fn presentations_of_files_stay_as_they_were(database: Database) {
    let store = database.store().await.unwrap();
    let title = video(&store).await;
    let source = domain::SourceId::new();
    let made = commit!(store, |tx| presentations::of_source(tx, title, source, T0));
    assert_eq!(made.source(), Some(source));
    let again = commit!(store, |tx| presentations::of_source(tx, title, source, T0));
    assert_eq!(again.id, made.id);
}
