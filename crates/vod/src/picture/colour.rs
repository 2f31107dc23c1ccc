//! Colours of uploaded pictures to sRGB, and transparency to an opaque ground.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::Colours;

/// Changes four-byte pixels from `colours` to sRGB. A profile that cannot be used is passed over: the picture then looks
/// as in programs that know no profiles.
pub fn to_srgb(rgba: &mut Vec<u8>, colours: &Colours) {
    let source = match colours {
        Colours::Srgb => None,
        Colours::DisplayP3 => Some(ColorProfile::new_display_p3()),
        Colours::Profile(profile) => ColorProfile::new_from_slice(profile).ok(),
    };
    // Profiles of gray and CMYK pictures do not fit what the decoder has made of them.
    let Some(source) = source.filter(|profile| profile.color_space == DataColorSpace::Rgb) else { return };
    let srgb = ColorProfile::new_srgb();
    let transform =
        source.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgba, TransformOptions::default());
    let mut out = vec![0; rgba.len()];
    if transform.is_ok_and(|transform| transform.transform(rgba, &mut out).is_ok()) {
        *rgba = out;
    }
}

/// Lays four-byte pixels on black, as a screen is before the picture comes.
pub fn flatten(rgba: &mut [u8]) {
    for [r, g, b, alpha] in rgba.as_chunks_mut::<4>().0 {
        if *alpha < 255 {
            for value in [r, g, b] {
                *value = ((u32::from(*value) * u32::from(*alpha) + 127) / 255) as u8;
            }
            *alpha = 255;
        }
    }
}
