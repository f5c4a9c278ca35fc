// libav's macros and variadic functions as static inline functions, and what differs
// between the FFmpeg versions we build on (5.1 to 7.1). Nothing else.
#pragma once
#include <errno.h>
#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavdevice/version.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/avutil.h>
#include <libavutil/channel_layout.h>
#include <libavutil/display.h>
#include <libavutil/dovi_meta.h>
#include <libavutil/hdr_dynamic_metadata.h>
#include <libavutil/hwcontext.h>
#include <libavutil/imgutils.h>
#include <libavutil/mastering_display_metadata.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libavutil/replaygain.h>
#include <libavutil/samplefmt.h>
#include <libavutil/spherical.h>
#include <libavutil/stereo3d.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
#include <limits.h>
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

// Macros Swift cannot import.
static const int clibav_error_again = AVERROR(EAGAIN);
static const int clibav_error_eof = AVERROR_EOF;
static const int clibav_error_exit = AVERROR_EXIT;
static const int clibav_error_no_memory = AVERROR(ENOMEM);
static const int clibav_error_no_space = AVERROR(ENOSPC);
static const int clibav_error_too_large = AVERROR(EFBIG);
static const int clibav_error_already_there = AVERROR(EEXIST);
static const int clibav_error_leads_outside = AVERROR(EXDEV);
static const int clibav_error_is_link = AVERROR(ELOOP);
static const int clibav_error_refused = AVERROR(EACCES);
static const int clibav_error_invalid = AVERROR(EINVAL);
static const int clibav_error_asserted = AVERROR(ENOTRECOVERABLE);
static const int clibav_error_not_implemented = AVERROR(ENOSYS);
static const int clibav_error_option_not_found = AVERROR_OPTION_NOT_FOUND;
static const int clibav_error_filter_not_found = AVERROR_FILTER_NOT_FOUND;
static const int clibav_error_bitstream_filter_not_found = AVERROR_BSF_NOT_FOUND;
static const int clibav_error_encoder_not_found = AVERROR_ENCODER_NOT_FOUND;
static const int clibav_error_demuxer_not_found = AVERROR_DEMUXER_NOT_FOUND;
static const int clibav_error_protocol_not_found = AVERROR_PROTOCOL_NOT_FOUND;
static const int64_t clibav_no_pts = AV_NOPTS_VALUE;

// Loaded by name; the version is that of the headers, and of the functions we know.
static const char *const clibav_device_library = "libavdevice.so." AV_STRINGIFY(LIBAVDEVICE_VERSION_MAJOR);

static inline int clibav_error_from_errno(int value) { return AVERROR(value); }

// av_log: a va_list stays on this side. `sink` is set once, before libav logs anything.
typedef void (*clibav_log_sink)(int level, const char *line);

static inline clibav_log_sink *clibav_log_slot(void) {
    static clibav_log_sink slot;
    return &slot;
}

// An assertion of libav's that fails says so in the log and calls abort(). Within a guarded call it ends
// that call instead. Whatever else aborts, a damaged heap first of all, ends the process as ever. Only
// frames of libav's and the callbacks of its output are left behind; what the call had in its hands must
// not be used again, nor freed.
struct clibav_guard {
    sigjmp_buf *call;
    int has_asserted;
};

static inline struct clibav_guard *clibav_guard_of_thread(void) {
    static _Thread_local struct clibav_guard guard;
    return &guard;
}

static inline void clibav_abort_handler(int signal) {
    struct clibav_guard *guard = clibav_guard_of_thread();
    if (guard->call && guard->has_asserted) siglongjmp(*guard->call, 1);
    (void)signal; // abort() ends the process when its handler returns.
}

static inline void clibav_install_abort_handler(void) {
    struct sigaction action = {.sa_handler = clibav_abort_handler, .sa_flags = SA_NODEFER};
    sigaction(SIGABRT, &action, NULL);
}

enum clibav_call {
    clibav_call_send_frame, clibav_call_receive_packet, clibav_call_push_frame, clibav_call_close_source,
    clibav_call_pull_frame, clibav_call_write_packet, clibav_call_flush_muxer, clibav_call_write_trailer,
};

static inline int clibav_call_directly(enum clibav_call call, void *object, void *argument, int64_t pts) {
    switch (call) {
    case clibav_call_send_frame: return avcodec_send_frame((AVCodecContext *)object, (const AVFrame *)argument);
    case clibav_call_receive_packet: return avcodec_receive_packet((AVCodecContext *)object, (AVPacket *)argument);
    case clibav_call_push_frame:
        return av_buffersrc_add_frame_flags((AVFilterContext *)object, (AVFrame *)argument, AV_BUFFERSRC_FLAG_KEEP_REF);
    case clibav_call_close_source: return av_buffersrc_close((AVFilterContext *)object, pts, 0);
    case clibav_call_pull_frame: return av_buffersink_get_frame((AVFilterContext *)object, (AVFrame *)argument);
    case clibav_call_write_packet: return av_interleaved_write_frame((AVFormatContext *)object, (AVPacket *)argument);
    case clibav_call_flush_muxer: return av_write_frame((AVFormatContext *)object, NULL);
    case clibav_call_write_trailer: return av_write_trailer((AVFormatContext *)object);
    }
    return AVERROR(EINVAL);
}

__attribute__((noinline)) static inline int clibav_guarded(
    enum clibav_call call, void *object, void *argument, int64_t pts) {
    struct clibav_guard *guard = clibav_guard_of_thread();
    sigjmp_buf here;
    guard->has_asserted = 0;
    // Without the mask of signals, which the handler leaves as it is, it costs no system call.
    if (sigsetjmp(here, 0) != 0) {
        guard->call = NULL;
        return clibav_error_asserted;
    }
    guard->call = &here;
    int code = clibav_call_directly(call, object, argument, pts);
    guard->call = NULL;
    return code;
}

static inline void clibav_log_callback(void *object, int level, const char *format, va_list arguments) {
    if ((level & 0xff) == AV_LOG_PANIC) clibav_guard_of_thread()->has_asserted = 1;
    if ((level & 0xff) > AV_LOG_WARNING || !*clibav_log_slot()) return;
    // The scale filter logs flags it can't read with no more than a class for a context, whose
    // parent can't be asked for.
    if (object && *(const AVClass **)object == sws_get_class()) object = NULL;
    char line[1024];
    int prefix = 1;
    av_log_format_line2(object, level & 0xff, format, arguments, line, sizeof line, &prefix);
    (*clibav_log_slot())(level & 0xff, line);
}

static inline void clibav_install_log(clibav_log_sink sink) {
    *clibav_log_slot() = sink;
    av_log_set_level(AV_LOG_WARNING);
    av_log_set_callback(clibav_log_callback);
    clibav_install_abort_handler();
}

// What libraries under libav print by themselves (x264, x265, SVT-AV1) goes to `sink`, as a whole line or in
// pieces: stdio's stderr becomes a stream of its own, file descriptor 2 stays. Declared by glibc under
// _GNU_SOURCE only, hence by another name.
typedef void (*clibav_text_sink)(const char *text, size_t length);

typedef struct {
    ssize_t (*read)(void *, char *, size_t);
    ssize_t (*write)(void *, const char *, size_t);
    int (*seek)(void *, int64_t *, int);
    int (*close)(void *);
} clibav_stream_functions;

FILE *clibav_open_stream(void *cookie, const char *mode, clibav_stream_functions functions) __asm__("fopencookie");

static inline ssize_t clibav_write_stream(void *sink, const char *text, size_t length) {
    ((clibav_text_sink)sink)(text, length);
    return (ssize_t)length;
}

static inline void clibav_take_stderr(clibav_text_sink sink) {
    clibav_stream_functions functions = {NULL, clibav_write_stream, NULL, NULL};
    FILE *stream = clibav_open_stream((void *)sink, "w", functions);
    if (!stream) return;
    setvbuf(stream, NULL, _IOLBF, 1024);
    stderr = stream;
}

// What an encoder takes: AVCodec's own arrays are deprecated from 7.1. NULL is "anything".
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 13, 100)
static inline const void *clibav_supported(const AVCodec *codec, enum AVCodecConfig what) {
    const void *list = NULL;
    int count = 0;
    return avcodec_get_supported_config(NULL, codec, what, 0, &list, &count) < 0 ? NULL : list;
}
#define CLIBAV_SUPPORTED(codec, type, what, field) ((const type *)clibav_supported(codec, what))
#else
#define CLIBAV_SUPPORTED(codec, type, what, field) ((codec)->field)
#endif

static inline const enum AVPixelFormat *clibav_pixel_formats(const AVCodec *codec) {
    return CLIBAV_SUPPORTED(codec, enum AVPixelFormat, AV_CODEC_CONFIG_PIX_FORMAT, pix_fmts);
}
static inline const enum AVSampleFormat *clibav_sample_formats(const AVCodec *codec) {
    return CLIBAV_SUPPORTED(codec, enum AVSampleFormat, AV_CODEC_CONFIG_SAMPLE_FORMAT, sample_fmts);
}
static inline const int *clibav_sample_rates(const AVCodec *codec) {
    return CLIBAV_SUPPORTED(codec, int, AV_CODEC_CONFIG_SAMPLE_RATE, supported_samplerates);
}
static inline const AVRational *clibav_frame_rates(const AVCodec *codec) {
    return CLIBAV_SUPPORTED(codec, AVRational, AV_CODEC_CONFIG_FRAME_RATE, supported_framerates);
}
static inline const AVChannelLayout *clibav_channel_layouts(const AVCodec *codec) {
    return CLIBAV_SUPPORTED(codec, AVChannelLayout, AV_CODEC_CONFIG_CHANNEL_LAYOUT, ch_layouts);
}

// Whether the fields that say how many channels there are beside ch_layout, until 7.0, are set.
static inline int clibav_has_old_channels(const AVCodecContext *context) {
#if LIBAVCODEC_VERSION_MAJOR < 61
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    return context->channels != 0 || context->channel_layout != 0;
#pragma GCC diagnostic pop
#else
    (void)context;
    return 0;
#endif
}

// AVFrame.duration took over from pkt_duration in 6.0.
static inline void clibav_set_frame_duration(AVFrame *frame, int64_t duration) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
    frame->duration = duration;
#else
    frame->pkt_duration = duration;
#endif
}

// Has an encoder read how long a frame is, which it does by itself before 6.0 or not at all.
#ifdef AV_CODEC_FLAG_FRAME_DURATION
static const int clibav_flag_frame_duration = AV_CODEC_FLAG_FRAME_DURATION;
#else
static const int clibav_flag_frame_duration = 0;
#endif

// Of a frame's fields: 0 when it is progressive, 1 and 2 when the top and the bottom one is first. Flags since 6.1.
static inline int clibav_field_order(const AVFrame *frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
    if (!(frame->flags & AV_FRAME_FLAG_INTERLACED)) return 0;
    return frame->flags & AV_FRAME_FLAG_TOP_FIELD_FIRST ? 1 : 2;
#else
    return frame->interlaced_frame ? (frame->top_field_first ? 1 : 2) : 0;
#endif
}

// Whether two frames say the same of themselves, whatever their pictures.
static inline int clibav_same_properties(const AVFrame *a, const AVFrame *b) {
#define CLIBAV_SAME(field) (a->field == b->field)
#define CLIBAV_SAME_RATIO(field) (CLIBAV_SAME(field.num) && CLIBAV_SAME(field.den))
    int same = CLIBAV_SAME(format) && CLIBAV_SAME(width) && CLIBAV_SAME(height) && CLIBAV_SAME(pts) && CLIBAV_SAME(pkt_dts)
        && CLIBAV_SAME(best_effort_timestamp) && CLIBAV_SAME_RATIO(time_base) && CLIBAV_SAME_RATIO(sample_aspect_ratio)
        && CLIBAV_SAME(pict_type) && CLIBAV_SAME(quality) && CLIBAV_SAME(repeat_pict) && CLIBAV_SAME(flags)
        && CLIBAV_SAME(color_range) && CLIBAV_SAME(color_primaries) && CLIBAV_SAME(color_trc) && CLIBAV_SAME(colorspace)
        && CLIBAV_SAME(chroma_location) && CLIBAV_SAME(crop_top) && CLIBAV_SAME(crop_bottom) && CLIBAV_SAME(crop_left)
        && CLIBAV_SAME(crop_right) && CLIBAV_SAME(nb_side_data) && CLIBAV_SAME(opaque) && CLIBAV_SAME(opaque_ref)
        && CLIBAV_SAME(hw_frames_ctx) && av_dict_count(a->metadata) == av_dict_count(b->metadata);
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
    same = same && CLIBAV_SAME(duration);
#else
    same = same && CLIBAV_SAME(pkt_duration);
#endif
#if LIBAVUTIL_VERSION_INT < AV_VERSION_INT(58, 7, 100)
    same = same && CLIBAV_SAME(key_frame) && CLIBAV_SAME(interlaced_frame) && CLIBAV_SAME(top_field_first);
#endif
    return same;
#undef CLIBAV_SAME
#undef CLIBAV_SAME_RATIO
}

static inline void clibav_set_interlaced(AVFrame *frame, int top_is_first) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
    frame->flags |= AV_FRAME_FLAG_INTERLACED;
    if (top_is_first) frame->flags |= AV_FRAME_FLAG_TOP_FIELD_FIRST;
    else frame->flags &= ~AV_FRAME_FLAG_TOP_FIELD_FIRST;
#else
    frame->interlaced_frame = 1;
    frame->top_field_first = top_is_first;
#endif
}

// Side data of a whole stream moved from AVStream to its codec parameters in 6.1.
static inline uint8_t *clibav_new_stream_side_data(
    AVStream *stream, enum AVPacketSideDataType type, size_t size) {
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 30, 100)
    AVPacketSideData *data = av_packet_side_data_new(
        &stream->codecpar->coded_side_data, &stream->codecpar->nb_coded_side_data, type, size, 0);
    return data ? data->data : NULL;
#else
    return av_stream_new_side_data(stream, type, size);
#endif
}

// Sources of filters have a range of colors since 7.0; before, frames alone did.
static inline void clibav_set_full_range(AVBufferSrcParameters *parameters) {
#if LIBAVFILTER_VERSION_MAJOR >= 10
    parameters->color_range = AVCOL_RANGE_JPEG;
#else
    (void)parameters;
#endif
}

// Codec parameters have a frame rate and side data of their own since 6.1; before, streams had the latter.
static inline AVRational clibav_codec_frame_rate(const AVCodecParameters *parameters) {
#if LIBAVCODEC_VERSION_MAJOR >= 61
    return parameters->framerate;
#else
    (void)parameters;
    return (AVRational){0, 1};
#endif
}

static inline void clibav_set_codec_frame_rate(AVCodecParameters *parameters, AVRational rate) {
#if LIBAVCODEC_VERSION_MAJOR >= 61
    parameters->framerate = rate;
#else
    (void)parameters, (void)rate;
#endif
}

static inline void clibav_clear_side_data(AVCodecParameters *parameters) {
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 30, 100)
    av_packet_side_data_free(&parameters->coded_side_data, &parameters->nb_coded_side_data);
#else
    (void)parameters;
#endif
}

// Sets the fields that say how many channels there are beside ch_layout, until 7.0, as an encoder's are.
static inline void clibav_set_old_channels(AVCodecParameters *parameters) {
#if LIBAVCODEC_VERSION_MAJOR < 61
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    parameters->channels = parameters->ch_layout.nb_channels;
    parameters->channel_layout =
        parameters->ch_layout.order == AV_CHANNEL_ORDER_NATIVE ? parameters->ch_layout.u.mask : 0;
#pragma GCC diagnostic pop
#else
    (void)parameters;
#endif
}

// What is read of side data without a look at its size; negative for a type with offsets in it that are followed.
static inline ptrdiff_t clibav_least_side_data(enum AVPacketSideDataType type) {
    switch (type) {
    case AV_PKT_DATA_PALETTE: return AVPALETTE_SIZE;
    case AV_PKT_DATA_PARAM_CHANGE: return 4;
    case AV_PKT_DATA_REPLAYGAIN: return sizeof(AVReplayGain);
    case AV_PKT_DATA_DISPLAYMATRIX: return 9 * sizeof(int32_t);
    case AV_PKT_DATA_STEREO3D: return sizeof(AVStereo3D);
    case AV_PKT_DATA_AUDIO_SERVICE_TYPE: return sizeof(enum AVAudioServiceType);
    case AV_PKT_DATA_QUALITY_STATS: return 8;
    case AV_PKT_DATA_FALLBACK_TRACK: return sizeof(int);
    case AV_PKT_DATA_CPB_PROPERTIES: return sizeof(AVCPBProperties);
    case AV_PKT_DATA_SKIP_SAMPLES: return 10;
    case AV_PKT_DATA_JP_DUALMONO: return 1;
    case AV_PKT_DATA_SUBTITLE_POSITION: return 16;
    case AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL: return 8;
    case AV_PKT_DATA_MPEGTS_STREAM_ID: return 1;
    case AV_PKT_DATA_MASTERING_DISPLAY_METADATA: return sizeof(AVMasteringDisplayMetadata);
    case AV_PKT_DATA_SPHERICAL: return sizeof(AVSphericalMapping);
    case AV_PKT_DATA_CONTENT_LIGHT_LEVEL: return sizeof(AVContentLightMetadata);
    case AV_PKT_DATA_AFD: return 1;
    case AV_PKT_DATA_PRFT: return sizeof(AVProducerReferenceTime);
    case AV_PKT_DATA_DOVI_CONF: return sizeof(AVDOVIDecoderConfigurationRecord);
    case AV_PKT_DATA_S12M_TIMECODE: return 4 * sizeof(uint32_t);
    case AV_PKT_DATA_DYNAMIC_HDR10_PLUS: return sizeof(AVDynamicHDRPlus);
#if LIBAVCODEC_VERSION_MAJOR >= 61
    case AV_PKT_DATA_IAMF_MIX_GAIN_PARAM:
    case AV_PKT_DATA_IAMF_DEMIXING_INFO_PARAM:
    case AV_PKT_DATA_IAMF_RECON_GAIN_INFO_PARAM: return -1;
#endif
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 19, 100)
    case AV_PKT_DATA_AMBIENT_VIEWING_ENVIRONMENT: return 3 * sizeof(AVRational);
    case AV_PKT_DATA_FRAME_CROPPING: return 4 * sizeof(uint32_t);
#endif
    default: return 0;
    }
}

// Zeros where libav has no black of the format.
static inline void clibav_make_black(AVFrame *frame) {
    ptrdiff_t linesizes[4];
    for (int plane = 0; plane < 4; plane++) linesizes[plane] = frame->linesize[plane];
    if (av_image_fill_black(
            frame->data, linesizes, frame->format, frame->color_range, frame->width, frame->height) >= 0)
        return;
    for (int index = 0; index < AV_NUM_DATA_POINTERS && frame->buf[index]; index++)
        memset(frame->buf[index]->data, 0, frame->buf[index]->size);
}

// How long a segment of hls must be, in microseconds, for its bit rate to be told in the master playlist, which has no
// variant of unknown rate; 0: the rates are those of the encoders. Since 7.1 the muxer measures them, of longer ones than this.
static inline int64_t clibav_shortest_measured_segment(void) {
    return LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(61, 7, 100) ? 500000 : 0;
}

// The write callback's buffer became const in 7.0.
#if LIBAVFORMAT_VERSION_MAJOR >= 61
typedef const uint8_t *clibav_write_buffer;
#else
typedef uint8_t *clibav_write_buffer;
#endif
typedef int (*clibav_write_callback)(void *opaque, clibav_write_buffer bytes, int count);

static inline AVIOContext *clibav_alloc_output(
    unsigned char *buffer, int size, void *opaque, clibav_write_callback write,
    int64_t (*seek)(void *opaque, int64_t offset, int whence)) {
    return avio_alloc_context(buffer, size, 1, opaque, NULL, write, seek);
}

// Of a program that has CHeaps in it, where libraries' memory starts as zeros anyway.
extern const char cheaps_zeroes_libraries_memory __attribute__((weak));

// From now on malloc hands out zeros, in the whole process.
static inline void clibav_zero_new_memory(void) {
    if (&cheaps_zeroes_libraries_memory) return;
#ifdef M_PERTURB
    mallopt(M_PERTURB, 0xff);
#endif
}

static inline void clibav_unmap(void *bytes, uint8_t *data) { munmap(data, (size_t)bytes); }

// Pages of its own: zeros, of which only those are memory that were written.
static inline AVBufferRef *clibav_mapped_buffer(size_t bytes) {
    void *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) return NULL;
    AVBufferRef *buffer = av_buffer_create(data, bytes, clibav_unmap, (void *)bytes, 0);
    if (!buffer) munmap(data, bytes);
    return buffer;
}

// A pool whose buffers are zeros at first.
static inline AVBufferPool *clibav_zeroed_pool(size_t bytes) {
    return av_buffer_pool_init(bytes, bytes < 32 * 1024 ? av_buffer_allocz : clibav_mapped_buffer);
}

// Options: arrays came with 7.0 as a flag on the type, unsigned ints with 7.1 as the type after
// the last of 5.1; channel layouts as a bit mask left with 7.0.
#if LIBAVUTIL_VERSION_MAJOR >= 59
static const unsigned clibav_option_type_mask = UINT_MAX;
static inline int clibav_option_is_array(const AVOption *option) {
    return (option->type & AV_OPT_TYPE_FLAG_ARRAY) != 0;
}
static inline unsigned clibav_option_type(const AVOption *option) {
    return option->type & ~(unsigned)AV_OPT_TYPE_FLAG_ARRAY;
}
static inline const char *clibav_option_array_default(const AVOption *option) {
    return option->default_val.arr ? option->default_val.arr->def : NULL;
}
#else
static const unsigned clibav_option_type_mask = AV_OPT_TYPE_CHANNEL_LAYOUT;
static inline int clibav_option_is_array(const AVOption *option) { return 0; }
static inline unsigned clibav_option_type(const AVOption *option) { return option->type; }
static inline const char *clibav_option_array_default(const AVOption *option) { return NULL; }
#endif
static const unsigned clibav_option_type_uint = AV_OPT_TYPE_CHLAYOUT + 1;

// How many samples before the first a muxer takes as they are, since it writes down how many there are: since
// FFmpeg 7 Matroska moves each such stream by itself.
static inline int clibav_padding_below_zero(const AVFormatContext *context, int stream) {
#if LIBAVFORMAT_VERSION_MAJOR >= 61
    if (!strcmp(context->oformat->name, "matroska") || !strcmp(context->oformat->name, "webm"))
        return context->streams[stream]->codecpar->initial_padding;
#endif
    (void)context, (void)stream;
    return 0;
}

// Of a link anywhere in a graph: since FFmpeg 7 its frame rate is libavfilter's own. What reads it for a sink's
// input takes any link for that.
static inline AVRational clibav_link_frame_rate(const AVFilterContext *sink, AVFilterLink *link) {
    AVFilterContext reader = *sink;
    reader.inputs = &link;
    reader.nb_inputs = 1;
    return av_buffersink_get_frame_rate(&reader);
}

static inline int clibav_is_output_device(const AVOutputFormat *format) {
    return format->priv_class && AV_IS_OUTPUT_DEVICE(format->priv_class->category);
}
