// An encoder by itself. Usage: encode-alone INPUT WIDTH HEIGHT RATE FRAMES MUXER OUTPUT ENCODER [OPTION=VALUE …]
// INPUT has yuv420p frames one after the other; they are in memory before the time begins. Says in JSON how many
// seconds it took from the making of the muxer to the trailer, and how much CPU.
#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/imgutils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

static void check(int code, const char *what) {
    if (code >= 0) return;
    fprintf(stderr, "%s: %s\n", what, av_err2str(code));
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double cpu(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void keep(void *opaque, uint8_t *data) { (void)opaque, (void)data; }

struct encoding {
    AVFormatContext *muxer;
    AVStream *stream;
    AVCodecContext *encoder;
    AVPacket *packet;
};

static AVCodecContext *opened(char **arguments, int count, const char *name, AVFormatContext *muxer) {
    const AVCodec *codec = avcodec_find_encoder_by_name(name);
    if (!codec) check(AVERROR_ENCODER_NOT_FOUND, name);
    AVCodecContext *encoder = avcodec_alloc_context3(codec);
    encoder->width = atoi(arguments[2]);
    encoder->height = atoi(arguments[3]);
    encoder->pix_fmt = AV_PIX_FMT_YUV420P;
    encoder->framerate = (AVRational){atoi(arguments[4]), 1};
    encoder->time_base = av_inv_q(encoder->framerate);
    encoder->thread_count = 1;
    if (muxer->oformat->flags & AVFMT_GLOBALHEADER) encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    AVDictionary *options = NULL;
    for (int index = 9; index < count; index++) check(av_dict_parse_string(&options, arguments[index], "=", "", 0), arguments[index]);
    check(avcodec_open2(encoder, codec, &options), "open the encoder");
    if (av_dict_count(options)) check(AVERROR_OPTION_NOT_FOUND, av_dict_get(options, "", NULL, AV_DICT_IGNORE_SUFFIX)->key);
    return encoder;
}

static struct encoding begin(char **arguments, int count) {
    struct encoding made = {.packet = av_packet_alloc()};
    check(avformat_alloc_output_context2(&made.muxer, NULL, arguments[6], arguments[7]), "make the muxer");
    made.encoder = opened(arguments, count, arguments[8], made.muxer);
    made.stream = avformat_new_stream(made.muxer, NULL);
    made.stream->time_base = made.encoder->time_base;
    check(avcodec_parameters_from_context(made.stream->codecpar, made.encoder), "describe the stream");
    check(avio_open(&made.muxer->pb, arguments[7], AVIO_FLAG_WRITE), arguments[7]);
    check(avformat_write_header(made.muxer, NULL), "write the header");
    return made;
}

// NULL: no more come.
static void encode(struct encoding *encoding, AVFrame *frame) {
    check(avcodec_send_frame(encoding->encoder, frame), "encode");
    int code;
    while ((code = avcodec_receive_packet(encoding->encoder, encoding->packet)) >= 0) {
        encoding->packet->duration = 1;
        av_packet_rescale_ts(encoding->packet, encoding->encoder->time_base, encoding->stream->time_base);
        check(av_interleaved_write_frame(encoding->muxer, encoding->packet), "write");
    }
    if (code != AVERROR(EAGAIN) && code != AVERROR_EOF) check(code, "take a packet");
}

static void encode_picture(struct encoding *encoding, uint8_t *data, int size, int number) {
    AVFrame *frame = av_frame_alloc();
    frame->format = AV_PIX_FMT_YUV420P;
    frame->width = encoding->encoder->width;
    frame->height = encoding->encoder->height;
    frame->pts = number;
    // Without a buffer libavcodec would copy it first.
    frame->buf[0] = av_buffer_create(data, (size_t)size, keep, NULL, AV_BUFFER_FLAG_READONLY);
    check(av_image_fill_arrays(frame->data, frame->linesize, data, frame->format, frame->width, frame->height, 1), "lay a picture out");
    encode(encoding, frame);
    av_frame_free(&frame);
}

int main(int count, char **arguments) {
    if (count < 9) return 2;
    av_log_set_level(AV_LOG_ERROR);
    int frames = atoi(arguments[5]);
    int size = av_image_get_buffer_size(AV_PIX_FMT_YUV420P, atoi(arguments[2]), atoi(arguments[3]), 1);
    int file = open(arguments[1], O_RDONLY);
    uint8_t *pictures = mmap(NULL, (size_t)size * (size_t)frames, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (file < 0 || pictures == MAP_FAILED) check(AVERROR(errno), arguments[1]);

    double began = now(), used = cpu();
    struct encoding encoding = begin(arguments, count);
    for (int number = 0; number < frames; number++) encode_picture(&encoding, pictures + (size_t)number * (size_t)size, size, number);
    encode(&encoding, NULL);
    check(av_write_trailer(encoding.muxer), "write the trailer");
    check(avio_closep(&encoding.muxer->pb), "close the file");
    avcodec_free_context(&encoding.encoder);
    avformat_free_context(encoding.muxer);
    av_packet_free(&encoding.packet);
    printf("{\"seconds\": %.6f, \"cpu\": %.6f}\n", now() - began, cpu() - used);
    return 0;
}
