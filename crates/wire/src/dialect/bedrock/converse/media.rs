//! Converse's words for kinds of files.
//!
//! Enters: a format, or a media type. Leaves: the other. Never: a guess: kinds that are not in these tables are not taken.

type Formats = &'static [(&'static str, &'static str)];

/// The first format of a media type is the one it is told by.
pub(super) const IMAGES: Formats = &[
    ("png", "image/png"),
    ("jpeg", "image/jpeg"),
    ("jpeg", "image/jpg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
];

pub(super) const DOCUMENTS: Formats = &[
    ("pdf", "application/pdf"),
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("html", "text/html"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
];

pub(super) const SOUNDS: Formats = &[
    ("mp3", "audio/mpeg"),
    ("mp3", "audio/mp3"),
    ("wav", "audio/wav"),
    ("wav", "audio/x-wav"),
    ("opus", "audio/opus"),
    ("aac", "audio/aac"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("m4a", "audio/mp4"),
    ("webm", "audio/webm"),
];

pub(super) fn media_type(formats: Formats, format: &str) -> Option<&'static str> {
    formats.iter().find(|(known, _)| *known == format).map(|(_, media_type)| *media_type)
}

pub(super) fn format(formats: Formats, media_type: &str) -> Option<&'static str> {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    formats.iter().find(|(_, known)| known.eq_ignore_ascii_case(essence)).map(|(format, _)| *format)
}
