#include "codec/media/av1_dd.h"

#include <string.h>

#include "codec/base/bits.h"
#include "codec/base/err.h"
#include "codec/base/rw.h"
#include "codec/media/rungs.h"

enum {
    MANDATORY_LEN = 3,
    TEMPLATE_IDS = 64,
    FLAGS = 5, /* behind the mandatory part: structure, active targets, three more */
    ACTIVE_BIT = 3 * 8 + 1,
    TARGETS_KNOWN = 16, /* pkt_desc has place for so many */
};

/* ---- structure (A.8.3) --------------------------------------------------------------------- */

static int read_layers(struct av1_dd_structure *s, struct bits *b)
{
    uint8_t spatial = 0;
    uint8_t temporal = 0;
    uint32_t next;
    s->templates = 0;
    s->temporal_layers = 1;
    do {
        if (s->templates == AV1_DD_TEMPLATES_MAX || spatial >= AV1_DD_SPATIAL_MAX ||
            temporal >= AV1_DD_TEMPORAL_MAX) {
            return E_BAD;
        }
        struct av1_dd_deps *t = &s->template[s->templates++];
        t->spatial = spatial;
        t->temporal = temporal;
        t->fdiffs = 0;
        if (temporal >= s->temporal_layers) {
            s->temporal_layers = (uint8_t)(temporal + 1);
        }
        next = bits_u(b, 2); /* next_layer_idc */
        if (next == 1) {
            temporal++;
        } else if (next == 2) {
            temporal = 0;
            spatial++;
        }
    } while (next != 3 && !b->bad);
    s->spatial_layers = (uint8_t)(spatial + 1);
    return b->bad ? E_BAD : 0;
}

static int read_template_fdiffs(struct av1_dd_structure *s, struct bits *b)
{
    for (unsigned i = 0; i < s->templates; i++) {
        struct av1_dd_deps *t = &s->template[i];
        while (bits_1(b)) {
            if (t->fdiffs == AV1_DD_FDIFFS_MAX) {
                return E_BAD;
            }
            t->fdiff[t->fdiffs++] = (uint16_t)(bits_u(b, 4) + 1);
        }
    }
    return 0;
}

static void read_template_chains(struct av1_dd_structure *s, struct bits *b)
{
    s->chains = (uint8_t)bits_ns(b, s->targets + 1u);
    if (s->chains == 0) {
        return;
    }
    for (unsigned i = 0; i < s->targets; i++) {
        s->protected_by[i] = (uint8_t)bits_ns(b, s->chains);
    }
    for (unsigned i = 0; i < s->templates; i++) {
        for (unsigned c = 0; c < s->chains; c++) {
            s->template[i].chain_diff[c] = (uint8_t)bits_u(b, 4);
        }
    }
}

/* A decode target reaches as high as the highest template that is part of it. */
static void find_target_layers(struct av1_dd_structure *s)
{
    for (unsigned target = 0; target < s->targets; target++) {
        for (unsigned i = 0; i < s->templates; i++) {
            const struct av1_dd_deps *t = &s->template[i];
            if (t->dti[target] == AV1_DTI_NOT_PRESENT) {
                continue;
            }
            if (t->spatial > s->target_spatial[target]) {
                s->target_spatial[target] = t->spatial;
            }
            if (t->temporal > s->target_temporal[target]) {
                s->target_temporal[target] = t->temporal;
            }
        }
    }
}

static int read_structure(struct av1_dd_structure *s, struct bits *b)
{
    memset(s, 0, sizeof(*s));
    s->id_offset = (uint8_t)bits_u(b, 6);
    s->targets = (uint8_t)(bits_u(b, 5) + 1);
    if (read_layers(s, b) != 0) {
        return E_BAD;
    }
    for (unsigned i = 0; i < s->templates; i++) {
        for (unsigned target = 0; target < s->targets; target++) {
            s->template[i].dti[target] = (uint8_t)bits_u(b, 2);
        }
    }
    if (read_template_fdiffs(s, b) != 0) {
        return E_BAD;
    }
    read_template_chains(s, b);
    find_target_layers(s);
    s->has_resolutions = bits_1(b);
    for (unsigned i = 0; s->has_resolutions && i < s->spatial_layers; i++) {
        uint32_t width = bits_u(b, 16) + 1;
        uint32_t height = bits_u(b, 16) + 1;
        s->width[i] = (uint16_t)(width > UINT16_MAX ? UINT16_MAX : width);
        s->height[i] = (uint16_t)(height > UINT16_MAX ? UINT16_MAX : height);
    }
    s->valid = !b->bad;
    return b->bad ? E_BAD : 0;
}

/* ---- frame (A.8.2) ------------------------------------------------------------------------- */

static int read_custom_fdiffs(struct av1_dd_deps *deps, struct bits *b)
{
    deps->fdiffs = 0;
    for (uint32_t size = bits_u(b, 2); size; size = bits_u(b, 2)) {
        if (deps->fdiffs == AV1_DD_FDIFFS_MAX) {
            return E_BAD;
        }
        deps->fdiff[deps->fdiffs++] = (uint16_t)(bits_u(b, 4 * size) + 1);
    }
    return 0;
}

struct flags {
    bool structure;
    bool active_targets;
    bool dtis;
    bool fdiffs;
    bool chains;
};

static int read_frame(struct av1_dd *out, const struct av1_dd_structure *s,
                      const struct flags *custom, struct bits *b)
{
    unsigned index = (unsigned)(out->template_id + TEMPLATE_IDS - s->id_offset) % TEMPLATE_IDS;
    if (index >= s->templates) {
        return E_BAD;
    }
    out->deps = s->template[index];
    for (unsigned i = 0; custom->dtis && i < s->targets; i++) {
        out->deps.dti[i] = (uint8_t)bits_u(b, 2);
    }
    if (custom->fdiffs && read_custom_fdiffs(&out->deps, b) != 0) {
        return E_BAD;
    }
    for (unsigned i = 0; custom->chains && i < s->chains; i++) {
        out->deps.chain_diff[i] = (uint8_t)bits_u(b, 8);
    }
    if (s->has_resolutions) {
        out->width = s->width[out->deps.spatial];
        out->height = s->height[out->deps.spatial];
    }
    return b->bad ? E_BAD : 0;
}

int av1_dd_parse(struct av1_dd *out, struct av1_dd_structure *structure, const uint8_t *data,
                 size_t len)
{
    struct bits b = bits_init(data, len);
    struct flags custom = {false, false, false, false, false};
    memset(out, 0, sizeof(*out));
    out->start_of_frame = bits_1(&b);
    out->end_of_frame = bits_1(&b);
    out->template_id = (uint8_t)bits_u(&b, 6);
    out->frame_number = (uint16_t)bits_u(&b, 16);
    if (len > MANDATORY_LEN) {
        custom.structure = bits_1(&b);
        custom.active_targets = bits_1(&b);
        custom.dtis = bits_1(&b);
        custom.fdiffs = bits_1(&b);
        custom.chains = bits_1(&b);
    }
    if (b.bad) {
        return E_BAD;
    }
    struct av1_dd_structure fresh;
    const struct av1_dd_structure *s = structure;
    if (custom.structure) {
        if (read_structure(&fresh, &b) != 0) {
            return E_BAD;
        }
        s = &fresh;
    } else if (!structure->valid) {
        return E_STATE;
    }
    out->targets_at = (uint16_t)(len > MANDATORY_LEN ? b.at : 0);
    out->has_mask = custom.active_targets;
    out->has_structure = custom.structure;
    out->has_active_targets = custom.structure || custom.active_targets;
    out->active_targets = s->targets == 32 ? UINT32_MAX : (1u << s->targets) - 1u;
    if (custom.active_targets) {
        out->active_targets = bits_u(&b, s->targets);
    }
    int err = read_frame(out, s, &custom, &b);
    if (!err && custom.structure) {
        *structure = *s;
    }
    if (!err && out->has_active_targets) {
        structure->active = out->active_targets;
    }
    return err;
}

/* ---- for the SFU --------------------------------------------------------------------------- */

/* Decode targets are rungs: what they contain and where they may be entered stands in the
 * descriptor. */
static void describe_rungs(struct pkt_desc *desc, const struct av1_dd *dd,
                           const struct av1_dd_structure *structure)
{
    uint16_t present = 0;
    uint16_t enter = 0;
    for (unsigned i = 0; i < structure->targets; i++) {
        uint16_t bit =
            (uint16_t)(1u << rung_of(structure->target_spatial[i], structure->target_temporal[i]));
        uint8_t dti = dd->deps.dti[i];
        present = (uint16_t)(present | (dti != AV1_DTI_NOT_PRESENT ? bit : 0));
        enter = (uint16_t)(enter | (dti == AV1_DTI_SWITCH ? bit : 0));
    }
    desc->present = present;
    desc->enter = !dd->start_of_frame ? 0 : enter;
    desc->from = !dd->start_of_frame ? 0 : (desc->keyframe ? RUNGS_ALL : present);
}

static void describe_targets(struct pkt_desc *desc, const struct av1_dd *dd,
                             const struct av1_dd_structure *structure)
{
    if (structure->targets > TARGETS_KNOWN) {
        return;
    }
    desc->targets = structure->targets;
    desc->targets_at = dd->targets_at;
    desc->targets_told = dd->has_mask;
    desc->targets_active = (uint16_t)structure->active;
    desc->target_rungs = 0;
    for (unsigned i = 0; i < structure->targets; i++) {
        uint64_t rung = rung_of(structure->target_spatial[i], structure->target_temporal[i]);
        desc->target_rungs |= rung << (4 * i);
    }
}

uint32_t av1_dd_targets(const struct pkt_desc *desc, unsigned rung)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < desc->targets; i++) {
        unsigned own = desc->target_rungs >> (4 * i) & 15;
        if (rung_spatial(own) <= rung_spatial(rung) && rung_temporal(own) <= rung_temporal(rung)) {
            mask |= 1u << i;
        }
    }
    return mask & desc->targets_active;
}

/* Bits [from, from + n) of data behind what was written. */
static void copy_bits(struct bits_out *w, const uint8_t *data, size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++) {
        bits_put(w, 1, (uint32_t)data[i >> 3] >> (7 - (i & 7)) & 1u);
    }
}

size_t av1_dd_retarget(uint8_t *out, size_t cap, const uint8_t *data, size_t len,
                       const struct pkt_desc *desc, uint32_t mask)
{
    size_t whole = len * 8;
    size_t at = desc->targets_at ? desc->targets_at : MANDATORY_LEN * 8;
    size_t bits = (desc->targets_at ? whole : at + FLAGS) + desc->targets;
    size_t skip = desc->targets_told ? desc->targets : 0;
    if (at + skip > whole || (bits + 7) / 8 > cap || (desc->targets_at && at < ACTIVE_BIT + 1)) {
        return 0;
    }
    struct bits_out w = bits_out_init(out, cap);
    if (desc->targets_at) {
        copy_bits(&w, data, 0, ACTIVE_BIT);
        bits_put(&w, 1, 1);
        copy_bits(&w, data, ACTIVE_BIT + 1, at - ACTIVE_BIT - 1);
    } else {
        copy_bits(&w, data, 0, at);
        bits_put(&w, FLAGS, 1u << (FLAGS - 2));
    }
    bits_put(&w, desc->targets, mask);
    copy_bits(&w, data, at + skip, desc->targets_at ? whole - at - skip : 0);
    return bits_out_len(&w);
}

void av1_dd_describe(struct pkt_desc *desc, const struct av1_dd *dd,
                     const struct av1_dd_structure *structure)
{
    bool may_switch = false;
    bool present = false;
    bool droppable = true;
    for (unsigned i = 0; i < structure->targets; i++) {
        uint8_t dti = dd->deps.dti[i];
        may_switch |= dti == AV1_DTI_SWITCH && structure->target_temporal[i] == dd->deps.temporal &&
                      structure->target_spatial[i] == dd->deps.spatial;
        present |= dti != AV1_DTI_NOT_PRESENT;
        droppable &= dti == AV1_DTI_NOT_PRESENT || dti == AV1_DTI_DISCARDABLE;
    }
    desc->start_of_frame = dd->start_of_frame;
    desc->end_of_frame = dd->end_of_frame;
    desc->keyframe = dd->has_structure && dd->start_of_frame && dd->deps.spatial == 0;
    desc->independent = dd->deps.fdiffs == 0;
    desc->inter_layer = dd->deps.spatial > 0 && dd->deps.fdiffs > 0;
    desc->spatial = dd->deps.spatial;
    desc->temporal = dd->deps.temporal;
    desc->layer_sync = may_switch || desc->keyframe;
    desc->discardable = present && droppable;
    desc->picture_id_bits = 16;
    desc->picture_id = dd->frame_number;
    desc->width = dd->width;
    desc->height = dd->height;
    describe_rungs(desc, dd, structure);
    describe_targets(desc, dd, structure);
}

void av1_dd_renumber(uint8_t *data, size_t len, uint16_t frame_number)
{
    if (len >= MANDATORY_LEN) {
        put_u16(data + 1, frame_number);
    }
}
