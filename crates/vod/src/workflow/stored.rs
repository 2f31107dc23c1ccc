//! What there is of a presentation, wherever that is told: in a plan and the units that are in, or, of what was sent live, in
//! its newest descriptor.

use domain::{PresentationId, VideoId};
use media::{descriptor::Descriptor, excerpt};
use store::{Store, presentations, presentations::Presentation, units::Unit};

use super::{
    Work, Workflow, blob_error,
    descriptor::{Assembled, assemble},
    parse, pictures,
};
use crate::{plan::Plan, worker::JobError};

/// A presentation with what tells of it.
pub(super) enum Stored {
    Planned(Work),
    /// It has no plan and no units but its pictures.
    Recorded(Presentation, Descriptor),
}

impl Stored {
    /// `None` when the title is gone.
    pub async fn load(flow: &Workflow, store: &Store, id: PresentationId) -> Result<Option<Self>, JobError> {
        let presentation = match presentations::get(&mut store.reader().await?, id).await {
            Err(store::Error::NotFound) => return Ok(None),
            other => other?,
        };
        if let Some(plan) = &presentation.plan {
            let plan: Plan = parse(plan)?;
            return Ok(Some(Self::Planned(Work { presentation, plan })));
        }
        if presentation.source().is_some() {
            return Err(JobError::fatal("This title has no plan.", id));
        }
        let told = newest(flow, id).await?;
        Ok(told.map(|descriptor| Self::Recorded(presentation, descriptor)))
    }

    pub fn presentation(&self) -> &Presentation {
        match self {
            Self::Planned(work) => &work.presentation,
            Self::Recorded(presentation, _) => presentation,
        }
    }

    pub fn video(&self) -> VideoId {
        self.presentation().video_id
    }

    /// The descriptor with this version of what is there; `None` until something of every track can be played.
    pub fn assemble(&self, units: &[Unit], version: u64) -> Result<Option<Assembled>, JobError> {
        let (presentation, descriptor) = match self {
            Self::Planned(work) => return assemble(work, units, version),
            Self::Recorded(presentation, descriptor) => (presentation, descriptor),
        };
        let pictured = units.iter().find(|unit| unit.name == pictures::UNIT);
        let storyboard = match pictured {
            Some(unit) => parse::<pictures::Pictured>(&unit.result)?.storyboard,
            None => None,
        };
        let complete = descriptor.complete;
        let descriptor = Descriptor {
            presentation: presentation.id.to_string(),
            version,
            planned_duration_ms: excerpt::duration_ms(descriptor),
            storyboard,
            ..descriptor.clone()
        };
        let pictured = pictured.is_some() || !descriptor.tracks.iter().any(|track| track.is_video());
        Ok(Some(Assembled { descriptor, encoded: complete, whole: complete, pictured, unfit: Vec::new() }))
    }
}

/// The newest descriptor of a presentation; `None` when there is none.
pub(super) async fn newest(flow: &Workflow, id: PresentationId) -> Result<Option<Descriptor>, JobError> {
    let told = flow.blobs.newest_descriptor(id).await.map_err(blob_error)?;
    told.map(|(_, bytes)| read(&bytes)).transpose()
}

fn read(bytes: &[u8]) -> Result<Descriptor, JobError> {
    serde_json::from_slice(bytes).map_err(|error| JobError::fatal("A stored record is damaged.", error))
}
