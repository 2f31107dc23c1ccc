//! Joining finished pieces into one file (§ Concatenation): its source is the list of their objects, nothing is copied.

use api::Principal;
use domain::UploadId;
use store::{
    Tx,
    sources::Part,
    uploads::{self, Kind, NewUpload, Upload},
};

use super::{
    Uploads, accept, complete,
    create::target,
    error::{Error, Result, bad},
    metadata::Metadata,
    session::staged,
};

/// Makes the joined upload and its title. Repeating the request gives the same upload again.
pub async fn join(
    uploads: &Uploads,
    principal: &Principal,
    pieces: &[UploadId],
    raw: &str,
    metadata: &Metadata,
) -> Result<Upload> {
    let owner = principal.user;
    let list = serde_json::to_string(pieces).map_err(|e| store::Error::Corrupt(e.to_string()))?;
    if let Some(done) = uploads::joined(&mut uploads.store.reader().await?, owner, &list).await? {
        return Ok(done);
    }
    accept::declared(metadata)?;
    look_at_beginning(uploads, principal, pieces).await?;

    let now = uploads.clock.now();
    let mut tx = uploads.store.begin().await?;
    let parts = take_pieces(&mut tx, principal, pieces).await?;
    let length: u64 = parts.iter().map(|part| part.length).sum();
    if length > uploads.config.max_bytes {
        return Err(bad("The joined file is larger than this server takes."));
    }
    let id = UploadId::new();
    let (video, version) = target(&mut tx, principal, metadata, now).await?;
    let new = NewUpload {
        id,
        owner,
        video: Some(video),
        version,
        kind: Kind::Final,
        length,
        metadata: raw.to_owned(),
        staging: String::new(),
        parts: list,
        expires_at: uploads.expiry(),
    };
    uploads::insert(&mut tx, &new, now).await?;
    let holder = id.to_string();
    uploads::lease(&mut tx, id, &holder, uploads.lease_until(), now).await?;
    uploads::complete(&mut tx, id, &holder, uploads.expiry(), now).await?;
    let upload = uploads::get(&mut tx, owner, id).await?;
    complete::into_title(&mut tx, &upload, parts, None, now).await?;
    tx.commit().await?;
    Ok(upload)
}

/// The first piece is the first thing of this upload that can be looked at.
async fn look_at_beginning(uploads: &Uploads, principal: &Principal, pieces: &[UploadId]) -> Result<()> {
    let Some(first) = pieces.first() else { return Ok(()) };
    let piece = {
        let mut reader = uploads.store.reader().await?;
        finished_piece(uploads::get(&mut reader, principal.user, *first).await)?
    };
    let staged = staged(&piece)?;
    let seen = staged.length().min(accept::PREFIX as u64);
    accept::beginning(&uploads.blobs.range(staged.object(), 0..seen).await?)
}

async fn take_pieces(tx: &mut Tx, principal: &Principal, pieces: &[UploadId]) -> Result<Vec<Part>> {
    let mut parts = Vec::with_capacity(pieces.len());
    for id in pieces {
        let piece = match uploads::take_piece(tx, principal.user, *id).await {
            Err(store::Error::NotFound) => finished_piece(uploads::get(tx, principal.user, *id).await)?,
            other => other?,
        };
        parts.push(complete::part(&staged(&piece)?));
    }
    Ok(parts)
}

fn finished_piece(found: store::Result<Upload>) -> Result<Upload> {
    match found {
        Ok(piece) if piece.kind != Kind::Partial => {
            Err(bad("Only pieces can be joined: uploads begun with Upload-Concat: partial."))
        }
        Ok(piece) if !piece.is_complete() => Err(bad("A piece is not finished yet.")),
        Ok(piece) => Ok(piece),
        Err(store::Error::NotFound) => Err(bad("A piece does not exist, or was joined already.")),
        Err(error) => Err(Error::Store(error)),
    }
}
