// How long a 1080p picture takes from one format to another: by a graph of libavfilter with nothing but its scaler, and by
// CPixels with each set of instructions. They take turns; what is printed is the least processor time of a picture, in
// milliseconds, after the conversion's name. Fails where the pictures differ.
#include "CPixels.h"
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { width = 1920, height = 1080, turns = 12, pictures = 4, subjects = 4 };

struct conversion {
    const char *source_name, *target_name;
    cpixels_source source;
    cpixels_target target;
};

static const struct conversion conversions[] = {
    {"rgb24", "yuv420p", {3, 0, 1, 2}, {1, 1, false}}, {"gbrp", "yuv420p", {1, 2, 0, 1}, {1, 1, false}},
    {"bgr24", "yuv420p", {3, 2, 1, 0}, {1, 1, false}}, {"rgba", "yuv420p", {4, 0, 1, 2}, {1, 1, false}},
    {"gray", "yuv420p", {0, 0, 0, 0}, {1, 1, false}},  {"rgb24", "nv12", {3, 0, 1, 2}, {1, 1, true}},
    {"rgb24", "yuv422p", {3, 0, 1, 2}, {1, 0, false}}, {"rgb24", "yuv444p", {3, 0, 1, 2}, {0, 0, false}},
};
static const cpixels_rule rules[] = {
    cpixels_rule_high_halves, cpixels_rule_exact, cpixels_rule_average, cpixels_rule_mean, cpixels_rule_first_pixel,
};
static const char *const names[subjects] = {"libswscale", "plain C", "SSSE3", "AVX2"};
static const cpixels_instructions instructions[subjects] = {0, cpixels_plain, cpixels_ssse3, cpixels_avx2};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

static void require(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "pixels: %s\n", what);
    exit(1);
}

static AVFrame *picture(const char *format) {
    AVFrame *frame = av_frame_alloc();
    frame->format = av_get_pix_fmt(format);
    frame->width = width;
    frame->height = height;
    require(av_frame_get_buffer(frame, 64) >= 0, "no memory");
    return frame;
}

static void fill(AVFrame *frame) {
    uint64_t state = 88172645463325252u;
    for (int plane = 0; plane < AV_NUM_DATA_POINTERS && frame->buf[plane]; plane++)
        for (size_t place = 0; place < (size_t)frame->buf[plane]->size; place++) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            frame->buf[plane]->data[place] = (uint8_t)(state >> 32);
        }
}

struct graph {
    AVFilterGraph *graph;
    AVFilterContext *first, *last;
};

static struct graph graph_of(const struct conversion *conversion) {
    struct graph result = {avfilter_graph_alloc(), NULL, NULL};
    result.graph->nb_threads = 1;
    char source[100], target[100];
    snprintf(
        source, sizeof source, "video_size=%dx%d:pix_fmt=%d:time_base=1/25", width, height, av_get_pix_fmt(conversion->source_name));
    snprintf(target, sizeof target, "pix_fmts=%s", conversion->target_name);
    const char *const filters[][2] = {
        {"buffer", source}, {"scale", "flags=bicubic:out_color_matrix=smpte170m:out_range=tv"}, {"format", target}, {"buffersink", NULL}};
    for (int place = 0; place < 4; place++) {
        AVFilterContext *filter;
        require(
            avfilter_graph_create_filter(
                &filter, avfilter_get_by_name(filters[place][0]), filters[place][0], filters[place][1], NULL, result.graph) >= 0,
            "no filter");
        require(place == 0 || avfilter_link(result.last, 0, filter, 0) >= 0, "no link");
        if (place == 0) result.first = filter;
        result.last = filter;
    }
    require(avfilter_graph_config(result.graph, NULL) >= 0, "no graph");
    return result;
}

static AVFrame *scale(struct graph *graph, AVFrame *source) {
    AVFrame *result = av_frame_alloc();
    source->pts++;
    require(
        av_buffersrc_add_frame_flags(graph->first, source, AV_BUFFERSRC_FLAG_KEEP_REF) >= 0
            && av_buffersink_get_frame(graph->last, result) >= 0,
        "the graph gives nothing");
    return result;
}

static cpixels_converter *converter_of(const struct conversion *conversion, cpixels_rule rule, cpixels_instructions by) {
    cpixels_plan plan = {conversion->source, conversion->target, width, height, false, {0}, rule, by};
    memcpy(plan.matrix, sws_getCoefficients(SWS_CS_SMPTE170M), sizeof plan.matrix);
    void *memory = aligned_alloc(64, (cpixels_bytes(&plan) + 63) / 64 * 64);
    require(memory, "no memory");
    return cpixels_prepare(&plan, memory);
}

static void convert(cpixels_converter *converter, AVFrame *source, AVFrame *target) {
    cpixels_convert(converter, (const uint8_t *const *)source->data, source->linesize, target->data, target->linesize);
}

static bool is_same(const AVFrame *a, const AVFrame *b) {
    int bytes[4];
    av_image_fill_linesizes(bytes, a->format, width);
    int shift = av_pix_fmt_desc_get(a->format)->log2_chroma_h;
    for (int plane = 0; plane < 3 && bytes[plane] > 0; plane++)
        for (int y = 0; y < (plane == 0 ? height : height >> shift); y++)
            if (memcmp(a->data[plane] + y * a->linesize[plane], b->data[plane] + y * b->linesize[plane], (size_t)bytes[plane]) != 0)
                return false;
    return true;
}

// The way in which libswscale rounds here.
static cpixels_rule rule_of(const struct conversion *conversion, const AVFrame *expected, AVFrame *source, AVFrame *target) {
    for (size_t place = 0; place < sizeof rules / sizeof *rules; place++) {
        cpixels_converter *converter = converter_of(conversion, rules[place], cpixels_best());
        bool is_it = false;
        if (converter) {
            convert(converter, source, target);
            is_it = is_same(target, expected);
        }
        free(converter);
        if (is_it) return rules[place];
    }
    require(false, "the pictures differ");
    return 0;
}

static void measure(const struct conversion *conversion) {
    struct graph graph = graph_of(conversion);
    AVFrame *source = picture(conversion->source_name), *target = picture(conversion->target_name);
    fill(source);
    AVFrame *expected = scale(&graph, source);
    cpixels_rule rule = rule_of(conversion, expected, source, target);
    cpixels_converter *converters[subjects] = {NULL};
    double least[subjects] = {0};
    for (int subject = 1; subject < subjects; subject++)
        if (cpixels_has(instructions[subject])) converters[subject] = converter_of(conversion, rule, instructions[subject]);
    for (int turn = 0; turn < turns; turn++)
        for (int subject = 0; subject < subjects; subject++) {
            if (subject > 0 && !converters[subject]) continue;
            double start = now();
            for (int count = 0; count < pictures; count++) {
                AVFrame *scaled = NULL;
                if (subject == 0) scaled = scale(&graph, source);
                else convert(converters[subject], source, target);
                av_frame_free(&scaled);
            }
            double spent = (now() - start) / pictures;
            if (turn == 0 || spent < least[subject]) least[subject] = spent;
            require(subject == 0 || is_same(target, expected), "the pictures differ");
        }
    printf("%s to %s", conversion->source_name, conversion->target_name);
    for (int subject = 0; subject < subjects; subject++)
        if (subject == 0 || converters[subject]) printf("\t%s %.3f", names[subject], least[subject]);
    printf("\n");
    fflush(stdout);
    for (int subject = 0; subject < subjects; subject++) free(converters[subject]);
    av_frame_free(&source);
    av_frame_free(&target);
    av_frame_free(&expected);
    avfilter_graph_free(&graph.graph);
}

int main(void) {
    av_log_set_level(AV_LOG_ERROR);
    for (size_t place = 0; place < sizeof conversions / sizeof *conversions; place++) measure(&conversions[place]);
    return 0;
}
