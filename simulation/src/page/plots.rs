//! The pictures, as SVG that reads on light and on dark pages: no background, middle tones.

use kuva::backend::svg::SvgBackend;
use kuva::plot::LinePlot;
use kuva::plot::legend::LegendPosition;
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;
use kuva::render::render::render_multiple;
use kuva::render::theme::Theme;

use super::Results;
use crate::plan::{Group, RuleName};

/// Honest sessions ended by the share of messages lost, under each rule.
pub fn losses(results: &Results) -> String {
    let rows = results.rows(Group::Loss);
    let plots: Vec<_> = RuleName::ALL
        .into_iter()
        .zip(TONES)
        .map(|(rule, tone)| {
            let cells = rows.iter().flat_map(|(_, cells)| cells).filter(|(experiment, _)| experiment.rule == rule);
            let points = cells.map(|(experiment, tally)| (experiment.at, tally.ended_per_thousand().max(NONE_SEEN)));
            let line =
                LinePlot::new().with_data(points).with_color(tone).with_legend(rule.name()).with_stroke_width(2.5);
            Plot::Line(if rule == RuleName::Counterfoil { line } else { line.with_dashed() })
        })
        .collect();
    let layout = layout(&plots)
        .with_title("Honest sessions ended, per 1,000 days")
        .with_x_label("messages lost, each way, in %")
        .with_y_label("ended per 1,000 days (lowest: none seen)")
        .with_log_y()
        .with_y_axis_min(NONE_SEEN / 2.0)
        .with_y_axis_max(2_000.0);
    drawn(plots, layout)
}

/// How soon thieves are found, by how often they use their copy.
pub fn delays(results: &Results) -> String {
    let rows = results.rows(Group::OtherThieves);
    let plots: Vec<_> = rows
        .iter()
        .zip(TONES)
        .filter_map(|((name, cells), tone)| {
            let (_, tally) = cells.first()?;
            let points = (0..=100).filter_map(|percent: u8| {
                let minutes = u32::try_from(tally.within(percent.into())? / 1_000).ok()?;
                Some((f64::from(minutes).max(60.0) / 60.0, f64::from(percent)))
            });
            let line = LinePlot::new().with_data(points).with_color(tone).with_stroke_width(2.5);
            Some(Plot::Line(line.with_legend(format!("every {name}"))))
        })
        .collect();
    let layout = layout(&plots)
        .with_title("Thieves found, by time since the theft")
        .with_x_label("minutes since the theft")
        .with_y_label("found, in %")
        .with_log_x()
        .with_x_axis_min(1.0)
        .with_x_axis_max(1_000.0)
        .with_y_axis_min(0.0)
        .with_y_axis_max(100.0);
    drawn(plots, layout)
}

fn layout(plots: &[Plot]) -> Layout {
    let plain = |number: f64| {
        if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number}") }
    };
    Layout::auto_from_plots(plots)
        .with_theme(both())
        .with_width(760.0)
        .with_height(420.0)
        .with_tick_format(TickFormat::Custom(std::sync::Arc::new(plain)))
        .with_legend_position(LegendPosition::OutsideRightMiddle)
        .with_font_family("system-ui, sans-serif")
}

fn drawn(plots: Vec<Plot>, layout: Layout) -> String {
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

/// Apart for most eyes that tell fewer colours as well.
const TONES: [&str; 6] = ["#2f81f7", "#d1242f", "#bf8700", "#1a9e6f", "#a371f7", "#8c6d5a"];
/// Where a logarithmic axis puts "none".
const NONE_SEEN: f64 = 0.1;
