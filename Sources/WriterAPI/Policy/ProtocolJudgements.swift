extension JudgementTable {
    /// Protocols, also those below others (tls below https) and those a writer never gets to. Which of
    /// them are used is for the rules of destinations to say; here it is about what their options do.
    package static let protocols = JudgementTable(
        [
            .options("http https tls", "http_proxy", .refused("it is another server to connect to")),
            .options("http https", "headers", .httpHeaders),
            .options("http https", "method", .httpMethod),
            .options("http https", "content_type user_agent referer cookies location resource", .line),
            .options(
                "icecast", "ice_genre ice_name ice_description ice_url user_agent password content_type", .line),
            .options("ftp", "ftp-anonymous-password ftp-user ftp-password", .line),
            .options(
                "tls", "ca_file cafile cert_file key_file",
                .refused("it reads a file; the server's own certificate authorities are used")),
            .options("sftp", "private_key", .refused("it reads a file; give a password in the URL")),
            .options("rtmp rtmps rtmpt rtmpts", "rtmp_swfverify", .refused("it reads a file or URL; give rtmp_swfhash and rtmp_swfsize")),
            .options("ipfs ipns", "gateway", .refused("it is another server to connect to")),
            .options("rtp", "fec", .refused("it sends to further ports")),
            .options("rtp udp udplite", "localaddr sources block", .refused("it names addresses other than the destination's")),
            .allowed(plain), .harmless(harmless),
        ],
        sinceFFmpeg7: [
            .options("fd pipe", "fd", .refused("it is a descriptor of the server's")),
            .options("tcp", "local_addr", .refused("it names addresses other than the destination's")),
            .options("tcp", "local_port", .harmless),
            .options("rtmp rtmps rtmpt rtmpts", "rtmp_enhanced_codecs", .harmless),
        ],
        elsewhere: [
            .options("dtls", "ca_file cert_file key_file cert_pem key_pem", .refused("it reads a file")),
        ])

    /// Names, secrets and texts that go to the destination, or come from it.
    private static let harmless = """
        amqp: exchange routing_key
        crypto: key iv decryption_key decryption_iv encryption_key encryption_iv
        http: post_data mime_type http_version icy_metadata_headers icy_metadata_packet metadata reconnect_on_http_error
        https: post_data mime_type http_version icy_metadata_headers icy_metadata_packet metadata reconnect_on_http_error
        rist: secret
        rtmp: rtmp_app rtmp_conn rtmp_flashver rtmp_pageurl rtmp_playpath rtmp_subscribe rtmp_swfhash rtmp_swfurl rtmp_tcurl
        rtmps: rtmp_app rtmp_conn rtmp_flashver rtmp_pageurl rtmp_playpath rtmp_subscribe rtmp_swfhash rtmp_swfurl rtmp_tcurl
        rtmpt: rtmp_app rtmp_conn rtmp_flashver rtmp_pageurl rtmp_playpath rtmp_subscribe rtmp_swfhash rtmp_swfurl rtmp_tcurl
        rtmpts: rtmp_app rtmp_conn rtmp_flashver rtmp_pageurl rtmp_playpath rtmp_subscribe rtmp_swfhash rtmp_swfurl rtmp_tcurl
        srt: passphrase streamid srt_streamid smoother
        srtp: srtp_out_suite srtp_out_params srtp_in_suite srtp_in_params
        tls: verifyhost
        """

    private static let plain = """
        async bluray cache concat concatf data ffrtmphttp file gopher gophers hls httpproxy ipfs ipns md5
        mmsh mmst pipe prompeg sctp subfile tcp tee unix zmq
        """
}
