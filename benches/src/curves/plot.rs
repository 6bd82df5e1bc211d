//! The curves as an SVG that reads on light and on dark pages: no background, middle tones.

use std::sync::Arc;

use kuva::backend::svg::SvgBackend;
use kuva::plot::LinePlot;
use kuva::plot::legend::LegendPosition;
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;
use kuva::render::render::render_multiple;
use kuva::render::theme::Theme;

use super::{Point, Used};

/// Microseconds of each work by how many sessions live.
#[expect(clippy::cast_precision_loss, reason = "a picture")]
pub fn svg(points: &[Point]) -> String {
    let plots: Vec<_> = LINES
        .iter()
        .map(|(name, tone, nanoseconds)| {
            let data = points.iter().map(|point| (point.sessions as f64, nanoseconds(&point.used) / 1e3));
            let line = LinePlot::new().with_data(data).with_color(*tone).with_legend(*name).with_stroke_width(2.5);
            Plot::Line(line)
        })
        .collect();
    let plain = |number: f64| if number >= 1.0 { format!("{number:.0}") } else { format!("{number}") };
    let layout = Layout::auto_from_plots(&plots)
        .with_theme(both())
        .with_width(760.0)
        .with_height(420.0)
        .with_title("What the embedded store costs by how many sessions live in it")
        .with_x_label("live sessions")
        .with_y_label("microseconds each")
        .with_log_x()
        .with_log_y()
        .with_tick_format(TickFormat::Custom(Arc::new(plain)))
        .with_legend_position(LegendPosition::OutsideRightMiddle)
        .with_font_family("system-ui, sans-serif");
    SvgBackend::new().with_pretty(true).render_scene(&render_multiple(plots, layout))
}

/// Legible on white and on near-black.
fn both() -> Theme {
    let grey = || "#7d8590".to_owned();
    Theme {
        background: "none".to_owned(),
        axis_color: grey(),
        grid_color: "#7d859040".to_owned(),
        tick_color: grey(),
        text_color: grey(),
        legend_bg: "none".to_owned(),
        legend_border: "none".to_owned(),
        ..Theme::light()
    }
}

type Line = (&'static str, &'static str, fn(&Used) -> f64);

/// Apart for most eyes that tell fewer colours as well.
const LINES: [Line; 6] = [
    ("insert, durable", "#8c6d5a", |used| used.insert),
    ("data change, durable", "#a371f7", |used| used.change),
    ("read from the disk", "#bf8700", |used| used.cold),
    ("authenticated request", "#d1242f", |used| used.request),
    ("read with a touch", "#1a9e6f", |used| used.touch),
    ("read from memory", "#2f81f7", |used| used.peek),
];
