#include "server/paper/paper.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <stdio.h>

#include "codec/base/err.h"
#include "codec/base/mem.h"

/* Points (1/72 inch). A4 is 210 x 297 mm. */
#define MM (72.0 / 25.4)
#define PAGE_W (210 * MM)
#define PAGE_H (297 * MM)
#define MARGIN (18 * MM)
#define BOTTOM (PAGE_H - 22 * MM)
#define CELL_PAD 4.0
#define ROW_MIN (9 * MM) /* room for a signature */

struct paper {
    cairo_surface_t *surface;
    cairo_t *cr;
    const char *footer;
    double y;
    int page;
};

/* ---- text
 * ----------------------------------------------------------------------------------------- */

static PangoLayout *layout_of(struct paper *p, const char *text, const char *font, double width)
{
    PangoLayout *layout = pango_cairo_create_layout(p->cr);
    /* A point is a unit of the page, whatever screens have (Pango assumes 96 to the inch). */
    pango_cairo_context_set_resolution(pango_layout_get_context(layout), 72.0);
    PangoFontDescription *d = pango_font_description_from_string(font);
    pango_layout_set_font_description(layout, d);
    pango_font_description_free(d);
    pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    /* No ligatures: "fi" stays two letters for whoever searches, copies or listens. */
    PangoAttrList *list = pango_attr_list_new();
    pango_attr_list_insert(list, pango_attr_font_features_new("liga=0, clig=0"));
    pango_layout_set_attributes(layout, list);
    pango_attr_list_unref(list);
    pango_layout_set_text(layout, text, -1);
    return layout;
}

static double height_of(PangoLayout *layout)
{
    int height = 0;
    pango_layout_get_size(layout, NULL, &height);
    return (double)height / PANGO_SCALE;
}

static void show(struct paper *p, PangoLayout *layout, double x, double y, const char *tag)
{
    cairo_move_to(p->cr, x, y);
    if (tag) {
        cairo_tag_begin(p->cr, tag, NULL);
    }
    pango_cairo_show_layout(p->cr, layout);
    if (tag) {
        cairo_tag_end(p->cr, tag);
    }
}

/* ---- pages
 * ---------------------------------------------------------------------------------------- */

/* Outside every tag: a screen reader does not read page numbers between two rows. */
static void foot(struct paper *p)
{
    char text[512];
    snprintf(text, sizeof(text), "%s \xe2\x80\x93 %d", p->footer, p->page);
    PangoLayout *layout = layout_of(p, text, "DejaVu Sans 8", PAGE_W - 2 * MARGIN);
    cairo_set_source_rgb(p->cr, 0.35, 0.35, 0.35);
    show(p, layout, MARGIN, PAGE_H - 14 * MM, NULL);
    cairo_set_source_rgb(p->cr, 0, 0, 0);
    g_object_unref(layout);
}

static void next_page(struct paper *p)
{
    foot(p);
    cairo_show_page(p->cr);
    p->page++;
    p->y = MARGIN;
}

static void need(struct paper *p, double height)
{
    if (p->y + height > BOTTOM && p->y > MARGIN) {
        next_page(p);
    }
}

struct paper *paper_new(const char *path, const char *title, const char *footer)
{
    struct paper *p = mem_alloc(sizeof(*p));
    if (!p) {
        return NULL;
    }
    p->footer = footer;
    p->page = 1;
    p->y = MARGIN;
    p->surface = cairo_pdf_surface_create(path, PAGE_W, PAGE_H);
    p->cr = cairo_create(p->surface);
    if (cairo_status(p->cr) != CAIRO_STATUS_SUCCESS) {
        cairo_destroy(p->cr);
        cairo_surface_destroy(p->surface);
        mem_free(p);
        return NULL;
    }
    cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_TITLE, title);
    cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_CREATOR, "Amphi");
    cairo_tag_begin(p->cr, "Document", NULL);
    return p;
}

static void block(struct paper *p, const char *text, const char *font, const char *tag,
                  double after)
{
    PangoLayout *layout = layout_of(p, text, font, PAGE_W - 2 * MARGIN);
    double height = height_of(layout);
    need(p, height);
    show(p, layout, MARGIN, p->y, tag);
    p->y += height + after;
    g_object_unref(layout);
}

void paper_heading(struct paper *p, int level, const char *text)
{
    block(p, text, level == 1 ? "DejaVu Sans Bold 20" : "DejaVu Sans Bold 13",
          level == 1 ? "H1" : "H2", 6);
}

void paper_text(struct paper *p, const char *text)
{
    if (!text[0]) {
        return;
    }
    block(p, text, "DejaVu Sans 10.5", "P", 4);
}

void paper_space(struct paper *p, double mm)
{
    p->y += mm * MM;
}

/* ---- tables
 * --------------------------------------------------------------------------------------- */

struct table {
    const struct paper_column *columns;
    size_t count;
    double width[PAPER_COLUMNS_MAX];
};

static void line(struct paper *p, double y)
{
    cairo_set_line_width(p->cr, 0.4);
    cairo_set_source_rgb(p->cr, 0.7, 0.7, 0.7);
    cairo_move_to(p->cr, MARGIN, y);
    cairo_line_to(p->cr, PAGE_W - MARGIN, y);
    cairo_stroke(p->cr);
    cairo_set_source_rgb(p->cr, 0, 0, 0);
}

static double lay_out(struct paper *p, const struct table *t, const char *const *cells,
                      const char *font, double least, PangoLayout **layouts)
{
    double tallest = 0;
    for (size_t i = 0; i < t->count; i++) {
        layouts[i] = layout_of(p, cells[i] ? cells[i] : "", font, t->width[i] - 2 * CELL_PAD);
        double height = height_of(layouts[i]);
        tallest = height > tallest ? height : tallest;
    }
    tallest += 2 * CELL_PAD;
    return tallest < least ? least : tallest;
}

void paper_rule(struct paper *p)
{
    p->y += 3 * MM;
    line(p, p->y);
    p->y += 3 * MM;
}

static void draw_row(struct paper *p, const struct table *t, PangoLayout **layouts, double height,
                     const char *tag)
{
    double x = MARGIN;
    cairo_tag_begin(p->cr, "TR", NULL);
    for (size_t i = 0; i < t->count; i++) {
        show(p, layouts[i], x + CELL_PAD, p->y + CELL_PAD, tag);
        x += t->width[i];
        g_object_unref(layouts[i]);
    }
    cairo_tag_end(p->cr, "TR");
    p->y += height;
    line(p, p->y);
}

static void head_row(struct paper *p, const struct table *t)
{
    const char *cells[PAPER_COLUMNS_MAX];
    PangoLayout *layouts[PAPER_COLUMNS_MAX];
    for (size_t i = 0; i < t->count; i++) {
        cells[i] = t->columns[i].head;
    }
    double height = lay_out(p, t, cells, "DejaVu Sans Bold 8.5", 0, layouts);
    draw_row(p, t, layouts, height, "TH");
}

void paper_table(struct paper *p, const struct paper_column *columns, size_t count,
                 const char *const *cells, size_t rows)
{
    struct table t = {.columns = columns, .count = count};
    double sum = 0;
    if (count == 0 || count > PAPER_COLUMNS_MAX) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        sum += columns[i].width;
    }
    for (size_t i = 0; i < count; i++) {
        t.width[i] = columns[i].width / sum * (PAGE_W - 2 * MARGIN);
    }
    need(p, 20 * MM);
    cairo_tag_begin(p->cr, "Table", NULL);
    head_row(p, &t);
    for (size_t r = 0; r < rows; r++) {
        PangoLayout *layouts[PAPER_COLUMNS_MAX];
        double height = lay_out(p, &t, cells + r * count, "DejaVu Sans 8.5", ROW_MIN, layouts);
        if (p->y + height > BOTTOM && p->y > MARGIN) {
            cairo_tag_end(p->cr, "Table");
            next_page(p);
            cairo_tag_begin(p->cr, "Table", NULL);
            head_row(p, &t);
        }
        draw_row(p, &t, layouts, height, "TD");
    }
    cairo_tag_end(p->cr, "Table");
    p->y += 8;
}

int paper_finish(struct paper *p)
{
    foot(p);
    cairo_tag_end(p->cr, "Document");
    cairo_show_page(p->cr);
    cairo_destroy(p->cr);
    cairo_surface_finish(p->surface);
    cairo_status_t status = cairo_surface_status(p->surface);
    cairo_surface_destroy(p->surface);
    mem_free(p);
    return status == CAIRO_STATUS_SUCCESS ? 0 : E_IO;
}
