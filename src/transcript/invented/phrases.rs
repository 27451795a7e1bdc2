//! What Whisper writes where nothing is said: the ends of the subtitles that it was trained on.

/// Credits and farewells by the code of their language, as [`super::key`] has them; they are not said in passing.
const CREDITS: &[(&str, &[&str])] = &[
    (
        "en",
        &[
            "captionsbytheamaraorgcommunity",
            "dontforgettolikeandsubscribe",
            "pleaselikeandsubscribe",
            "pleasesubscribe",
            "pleasesubscribetomychannel",
            "seeyouinthenextvideo",
            "subtitlesbytheamaraorgcommunity",
            "thanksforwatching",
            "thankyouforwatching",
            "thankyousomuchforwatching",
            "thankyouverymuchforwatching",
            "transcribedbyhttpsotterai",
            "transcriptionbycastingwords",
        ],
    ),
    (
        "de",
        &[
            "untertitelderamaraorgcommunity",
            "untertitelimauftragdeszdffürfunk2017",
            "untertitelungaufgrundderamaraorgcommunity",
            "untertitelvonstephaniegeiges",
            "vielendankfürszuschauen",
        ],
    ),
    (
        "fr",
        &[
            "mercidavoirregardécettevidéo",
            "soustitragesociétéradiocanada",
            "soustitragest501",
            "soustitresréalisésparlacommunautédamaraorg",
            "soustitresréalisésparalacommunautédamaraorg",
        ],
    ),
    (
        "es",
        &[
            "graciasporverelvideo",
            "graciasporverelvídeo",
            "subtítulosporlacomunidaddeamaraorg",
            "subtítulosrealizadosporlacomunidaddeamaraorg",
            "suscríbetealcanal",
        ],
    ),
    (
        "it",
        &["grazieperaverguardatoilvideo", "sottotitolicreatidallacomunitàamaraorg", "sottotitolierevisioneacuradiqtss"],
    ),
    ("pt", &["legendaspelacomunidadeamaraorg", "legendaspelacomunidadedasamaraorg", "obrigadoporassistir"]),
    (
        "nl",
        &[
            "bedanktvoorhetkijken",
            "ondertitelddooramaraorggemeenschap",
            "ondertitelsingedienddoordeamaraorggemeenschap",
        ],
    ),
    ("pl", &["dziękizaoglądanie", "napisystworzoneprzezspołecznośćamaraorg"]),
    ("ru", &["спасибозапросмотр", "субтитрысделалdimatorzok", "субтитрысоздавалdimatorzok"]),
    ("tr", &["altyazımk", "izlediğiniziçinteşekkürederim"]),
    ("ja", &["ご視聴ありがとうございました"]),
    ("ko", &["시청해주셔서감사합니다"]),
    ("zh", &["字幕由amaraorg社区提供", "请不吝点赞订阅转发打赏支持明镜与点点栏目"]),
];

/// What people do say in passing, and the model says to noise.
const FILLERS: &[(&str, &[&str])] = &[
    (
        "en",
        &[
            "bye",
            "byebye",
            "hmm",
            "mm",
            "oh",
            "okay",
            "ok",
            "so",
            "thankyou",
            "thankyouverymuch",
            "uh",
            "um",
            "yeah",
            "you",
        ],
    ),
    ("de", &["danke", "hm", "ja", "tschüss", "vielendank"]),
    ("fr", &["merci", "oui"]),
    ("es", &["gracias", "sí"]),
    ("it", &["grazie", "sì"]),
    ("pt", &["obrigado", "sim"]),
    ("ja", &["ありがとうございました"]),
    ("ko", &["감사합니다", "네"]),
    ("zh", &["谢谢"]),
];

/// Whether a text of this [`super::key`] is a credit in its language, or an English one.
pub fn is_credit(language: &str, key: &str) -> bool {
    holds(CREDITS, language, key) || holds(CREDITS, "en", key)
}

/// Whether a text of this [`super::key`] is a filler in its language.
pub fn is_filler(language: &str, key: &str) -> bool {
    holds(FILLERS, language, key)
}

fn holds(table: &[(&str, &[&str])], language: &str, key: &str) -> bool {
    table.iter().any(|(code, phrases)| *code == language && phrases.contains(&key))
}

#[cfg(test)]
mod tests {
    use super::super::key;
    use super::*;

    #[test]
    fn phrases_are_written_as_they_are_looked_for() {
        let phrases = CREDITS.iter().chain(FILLERS).flat_map(|(_, phrases)| phrases.iter());
        phrases.for_each(|phrase| assert_eq!(key(phrase), *phrase));
    }
}
