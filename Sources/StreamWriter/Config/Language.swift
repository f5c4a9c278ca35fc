import Bytewise
import Libav

/// A stream's language: a code of ISO 639, two letters or three, and perhaps a country behind it (BCP 47).
struct Language: Equatable {
    /// ISO 639-2, terminological: "deu".
    let code: String
    /// Two letters of ISO 3166.
    let country: String?

    /// Nil for what is none of these.
    init?(_ text: String) {
        let parts = text.lowercasedASCII.parts(at: "-")
        guard let code = parts.first.flatMap(Self.code(of:)), parts.count <= 2 else { return nil }
        self.code = code
        country = parts.count == 2 ? parts[1] : nil
        if let country, country.utf8.count != 2 || !Self.hasLettersOnly(country) { return nil }
    }

    private static func code(of text: String) -> String? {
        guard hasLettersOnly(text) else { return nil }
        return text.utf8.count == 3 ? terminological[text] ?? text : ofTwoLetters[text]
    }

    private static func hasLettersOnly(_ text: String) -> Bool {
        text.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
    }

    /// As libav's muxer of that format wants it; nil: it has no way to write the country.
    func text(in format: OutputFormat) -> String? {
        switch format.name {
        case "matroska", "webm", "webm_chunk":
            // RFC 9559, section 12: bibliographic, and a country as in "fre-ca".
            return [bibliographic, country].compactMap { $0 }.joined(separator: "-")
        case _ where country != nil: return nil
        // ISO 13818-1 leaves it open, and ATSC A/65 asks for that.
        case "mpegts", "rtp_mpegts": return bibliographic
        case "mov": return Self.ofQuickTime[code] ?? bibliographic
        // ISO 14496-12 for the MP4 family; libav translates for ASF; elsewhere it is text.
        default: return code
        }
    }

    private var bibliographic: String { Self.bibliographic[code] ?? code }

    /// Where what libav's table of QuickTime's languages calls one is not the bibliographic code.
    private static let ofQuickTime = [
        "ces": "ces", "fao": "fo ", "fra": "fra", "hrv": "hr ", "pan": "pa ", "ron": "ron", "slk": "slk", "srp": "sr ", "swe": "sve",
    ]

    private static let terminological = Dictionary(uniqueKeysWithValues: bibliographic.map { ($1, $0) })

    /// The twenty codes of ISO 639-2 that are of two kinds.
    private static let bibliographic = pairs(
        """
        bod:tib ces:cze cym:wel deu:ger ell:gre eus:baq fas:per fra:fre hye:arm isl:ice kat:geo mkd:mac mri:mao \
        msa:may mya:bur nld:dut ron:rum slk:slo sqi:alb zho:chi
        """)

    /// ISO 639-1.
    private static let ofTwoLetters = pairs(
        """
        aa:aar ab:abk ae:ave af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze ba:bak be:bel bg:bul \
        bh:bih bi:bis bm:bam bn:ben bo:bod br:bre bs:bos ca:cat ce:che ch:cha co:cos cr:cre cs:ces cu:chu cv:chv \
        cy:cym da:dan de:deu dv:div dz:dzo ee:ewe el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas ff:ful fi:fin \
        fj:fij fo:fao fr:fra fy:fry ga:gle gd:gla gl:glg gn:grn gu:guj gv:glv ha:hau he:heb hi:hin ho:hmo hr:hrv \
        ht:hat hu:hun hy:hye hz:her ia:ina id:ind ie:ile ig:ibo ii:iii ik:ipk io:ido is:isl it:ita iu:iku ja:jpn \
        jv:jav ka:kat kg:kon ki:kik kj:kua kk:kaz kl:kal km:khm kn:kan ko:kor kr:kau ks:kas ku:kur kv:kom kw:cor \
        ky:kir la:lat lb:ltz lg:lug li:lim ln:lin lo:lao lt:lit lu:lub lv:lav mg:mlg mh:mah mi:mri mk:mkd ml:mal \
        mn:mon mr:mar ms:msa mt:mlt my:mya na:nau nb:nob nd:nde ne:nep ng:ndo nl:nld nn:nno no:nor nr:nbl nv:nav \
        ny:nya oc:oci oj:oji om:orm or:ori os:oss pa:pan pi:pli pl:pol ps:pus pt:por qu:que rm:roh rn:run ro:ron \
        ru:rus rw:kin sa:san sc:srd sd:snd se:sme sg:sag si:sin sk:slk sl:slv sm:smo sn:sna so:som sq:sqi sr:srp \
        ss:ssw st:sot su:sun sv:swe sw:swa ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl tn:tsn to:ton tr:tur \
        ts:tso tt:tat tw:twi ty:tah ug:uig uk:ukr ur:urd uz:uzb ve:ven vi:vie vo:vol wa:wln wo:wol xh:xho yi:yid \
        yo:yor za:zha zh:zho zu:zul
        """)

    private static func pairs(_ text: String) -> [String: String] {
        Dictionary(uniqueKeysWithValues: text.parts(at: " ").map { pair in
            let parts = pair.parts(at: ":")
            return (parts[0], parts[1])
        })
    }
}
