import TemplateKit

/// The frame and the partials that every room's pages stand on.
public enum ShellTemplates {
    /// Each template by its file name.
    public static let sources: [String: [UInt8]] = [
        "activity.html": PackageResources.activity_html,
        "attention.html": PackageResources.attention_html,
        "bare.html": PackageResources.bare_html,
        "chart-axes.html": PackageResources.chart_axes_html,
        "chart-bars.html": PackageResources.chart_bars_html,
        "chart-lines.html": PackageResources.chart_lines_html,
        "chart-ranking.html": PackageResources.chart_ranking_html,
        "chart-spark.html": PackageResources.chart_spark_html,
        "csrf.html": PackageResources.csrf_html,
        "error-bare.html": PackageResources.error_bare_html,
        "error-body.html": PackageResources.error_body_html,
        "error.html": PackageResources.error_html,
        "field.html": PackageResources.field_html,
        "flash.html": PackageResources.flash_html,
        "form-errors.html": PackageResources.form_errors_html,
        "frame.html": PackageResources.frame_html,
        "key-usage.html": PackageResources.key_usage_html,
        "navigation.html": PackageResources.navigation_html,
        "once.html": PackageResources.once_html,
        "pagination.html": PackageResources.pagination_html,
        "scope-choice.html": PackageResources.scope_choice_html,
        "state.html": PackageResources.state_html,
        "tile.html": PackageResources.tile_html,
        "time.html": PackageResources.time_html,
    ]
}
