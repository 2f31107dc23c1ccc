//! What the first picture tells of the display that a film of high dynamic range was made on. Containers seldom do.

use std::path::Path;

use serde::Deserialize;

use super::{Result, SourceInfo, ffprobe, info::Display, info::Mastering, refused};
use crate::tools::Tools;

/// Nothing when it tells nothing, or nothing that can be.
pub(super) async fn look(tools: &Tools, info: &SourceInfo, input: &Path) -> Result<Option<Mastering>> {
    let Some(video) = info.video.as_ref().filter(|video| video.hdr) else { return Ok(None) };
    let report = ffprobe(tools, info.container, input)
        .args(["-print_format", "json", "-show_frames", "-read_intervals", "%+#1", "-select_streams"])
        .args([&video.stream.to_string()])
        .args([input])
        .output(1 << 20)
        .await
        .map_err(refused)?;
    Ok(parse(&report))
}

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    frames: Vec<Frame>,
}

#[derive(Deserialize)]
struct Frame {
    #[serde(default)]
    side_data_list: Vec<SideData>,
}

/// Fractions as text, such as `34000/50000`.
#[derive(Deserialize)]
struct SideData {
    red_x: Option<String>,
    red_y: Option<String>,
    green_x: Option<String>,
    green_y: Option<String>,
    blue_x: Option<String>,
    blue_y: Option<String>,
    white_point_x: Option<String>,
    white_point_y: Option<String>,
    min_luminance: Option<String>,
    max_luminance: Option<String>,
    max_content: Option<u32>,
    max_average: Option<u32>,
}

fn parse(report: &[u8]) -> Option<Mastering> {
    let report: Report = serde_json::from_slice(report).ok()?;
    let data: Vec<SideData> = report.frames.into_iter().next()?.side_data_list;
    let light = data.iter().find_map(|one| one.max_content.zip(one.max_average));
    // 65,535 is the most that fits its place in a stream.
    let light = light.filter(|(most, average)| *most > 0 && *most <= 65_535 && *average <= 65_535);
    let found = Mastering { display: data.iter().find_map(display), light };
    (found.display.is_some() || found.light.is_some()).then_some(found)
}

fn display(data: &SideData) -> Option<Display> {
    // So many of `unit` as the fraction is of 1; at most `most`.
    let number = |text: &Option<String>, unit: u64, most: u64| {
        let (numerator, denominator) = text.as_deref()?.split_once('/')?;
        let (numerator, denominator) = (numerator.parse::<u32>().ok()?, denominator.parse::<u32>().ok()?);
        let half = u64::from(denominator) / 2;
        let value = (u64::from(numerator) * unit + half).checked_div(denominator.into())?;
        u32::try_from(value).ok().filter(|value| u64::from(*value) <= most)
    };
    let point =
        |x: &Option<String>, y: &Option<String>| number(x, 50_000, 50_000).zip(number(y, 50_000, 50_000));
    let luminance = |text: &Option<String>| number(text, 10_000, 100_000_000);
    let luminance = luminance(&data.max_luminance).zip(luminance(&data.min_luminance))?;
    if luminance.0 <= luminance.1 {
        return None;
    }
    Some(Display {
        red: point(&data.red_x, &data.red_y)?,
        green: point(&data.green_x, &data.green_y)?,
        blue: point(&data.blue_x, &data.blue_y)?,
        white: point(&data.white_point_x, &data.white_point_y)?,
        luminance,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(side_data: &str) -> Option<Mastering> {
        parse(format!(r#"{{"frames":[{{"side_data_list":[{side_data}]}}]}}"#).as_bytes())
    }

    const DISPLAY: &str = r#"{"red_x":"34000/50000","red_y":"16000/50000","green_x":"13250/50000",
        "green_y":"34500/50000","blue_x":"7500/50000","blue_y":"3000/50000","white_point_x":"15635/50000",
        "white_point_y":"16450/50000","min_luminance":"50/10000","max_luminance":"10000000/10000"}"#;

    #[test]
    fn the_display_is_told_in_the_units_of_encoders() {
        let found = of(&format!(
            r#"{{"side_data_type":"other"}},{DISPLAY},{{"max_content":1000,"max_average":400}}"#
        ));
        let found = found.unwrap();
        assert_eq!(found.light, Some((1000, 400)));
        let display = found.display.unwrap();
        assert_eq!(
            display.in_units(),
            "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
        );
        assert_eq!(
            display.in_decimals(),
            "G(0.26500,0.69000)B(0.15000,0.06000)R(0.68000,0.32000)WP(0.31270,0.32900)L(1000.0000,0.0050)"
        );
    }

    #[test]
    fn what_cannot_be_is_not_believed() {
        assert_eq!(of(""), None);
        assert_eq!(of(r#"{"max_content":0,"max_average":0}"#), None);
        assert_eq!(of(r#"{"max_content":4000000000,"max_average":1}"#), None);
        for (good, bad) in [("34000/50000", "1/0"), ("34000/50000", "x"), ("10000000/10000", "1/10000000")] {
            assert_eq!(of(&DISPLAY.replacen(good, bad, 1)), None, "{bad}");
        }
        assert_eq!(parse(b"{"), None);
    }
}
