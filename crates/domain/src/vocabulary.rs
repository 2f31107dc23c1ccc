//! The fixed vocabulary of the library: kinds, genres and maturity ratings.

use crate::words::words;

words! {
    /// What sort of title it is.
    Kind, "movie, clip, recording" {
        Movie = "movie",
        Clip = "clip",
        /// Of a live event.
        Recording = "recording",
    }
}

words! {
    /// A genre. Ids are stable; pages show [`Genre::name`].
    Genre, "the genres of GET /api/v1/vocabulary" {
        Action = "action",
        Adventure = "adventure",
        Animation = "animation",
        Biography = "biography",
        Comedy = "comedy",
        Crime = "crime",
        Documentary = "documentary",
        Drama = "drama",
        Education = "education",
        Family = "family",
        Fantasy = "fantasy",
        Food = "food",
        Gaming = "gaming",
        History = "history",
        HowTo = "how-to",
        Horror = "horror",
        Kids = "kids",
        Music = "music",
        Musical = "musical",
        Mystery = "mystery",
        Nature = "nature",
        News = "news",
        Romance = "romance",
        Science = "science",
        ScienceFiction = "science-fiction",
        Short = "short",
        Sport = "sport",
        Talk = "talk",
        Technology = "technology",
        Thriller = "thriller",
        Travel = "travel",
        War = "war",
        Western = "western",
    }
}

impl Genre {
    /// As pages show it, in English.
    pub fn name(self) -> &'static str {
        match self {
            Self::Action => "Action",
            Self::Adventure => "Adventure",
            Self::Animation => "Animation",
            Self::Biography => "Biography",
            Self::Comedy => "Comedy",
            Self::Crime => "Crime",
            Self::Documentary => "Documentary",
            Self::Drama => "Drama",
            Self::Education => "Education",
            Self::Family => "Family",
            Self::Fantasy => "Fantasy",
            Self::Food => "Food",
            Self::Gaming => "Gaming",
            Self::History => "History",
            Self::HowTo => "How-to",
            Self::Horror => "Horror",
            Self::Kids => "Kids",
            Self::Music => "Music",
            Self::Musical => "Musical",
            Self::Mystery => "Mystery",
            Self::Nature => "Nature",
            Self::News => "News",
            Self::Romance => "Romance",
            Self::Science => "Science",
            Self::ScienceFiction => "Science fiction",
            Self::Short => "Short films",
            Self::Sport => "Sport",
            Self::Talk => "Talk",
            Self::Technology => "Technology",
            Self::Thriller => "Thriller",
            Self::Travel => "Travel",
            Self::War => "War",
            Self::Western => "Western",
        }
    }
}

words! {
    /// A maturity rating: the MPA's for films, the TV Parental Guidelines' for everything else.
    Rating, "G, PG, PG-13, R, NC-17, TV-Y, TV-Y7, TV-G, TV-PG, TV-14, TV-MA" {
        G = "G",
        Pg = "PG",
        Pg13 = "PG-13",
        R = "R",
        Nc17 = "NC-17",
        TvY = "TV-Y",
        TvY7 = "TV-Y7",
        TvG = "TV-G",
        TvPg = "TV-PG",
        Tv14 = "TV-14",
        TvMa = "TV-MA",
    }
}

impl Rating {
    /// The age in years from which a title so rated is thought suitable; parental guidance counts as a few years.
    pub fn age(self) -> u8 {
        match self {
            Self::G | Self::TvY | Self::TvG => 0,
            Self::TvY7 => 7,
            Self::Pg | Self::TvPg => 8,
            Self::Pg13 => 13,
            Self::Tv14 => 14,
            Self::R | Self::TvMa => 17,
            Self::Nc17 => 18,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_genre_has_an_id_for_urls_and_a_name_of_its_own() {
        let mut names = std::collections::BTreeSet::new();
        for genre in Genre::ALL {
            assert!(genre.word().chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{genre}");
            assert!(names.insert(genre.name()), "{genre}");
            assert_eq!(genre.word().parse(), Ok(*genre));
        }
    }
}
