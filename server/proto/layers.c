#include "server/proto/layers.h"

enum { HEIGHT_ASSUMED = 720 };

static uint16_t height_of(const struct layer_view *layers, unsigned i)
{
    if (layers[i].height) {
        return layers[i].height;
    }
    return (uint16_t)((unsigned)HEIGHT_ASSUMED >> i);
}

int layer_policy(const struct layer_view *layers, unsigned count, uint16_t height_max,
                 uint32_t bps_max)
{
    int best = -1;
    if (height_max == 0) {
        return -1;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!layers[i].live || (bps_max && layers[i].bps > bps_max)) {
            continue;
        }
        uint16_t height = height_of(layers, i);
        uint16_t best_height = best < 0 ? 0 : height_of(layers, (unsigned)best);
        bool enough = height >= height_max;
        bool best_enough = best >= 0 && best_height >= height_max;
        if (best < 0 || (enough && !best_enough) ||
            (enough == best_enough && (enough ? height < best_height : height > best_height))) {
            best = (int)i;
        }
    }
    return best;
}
