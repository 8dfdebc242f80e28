// Apollo Kotlin, also for Android. Copy schema.graphql here as src/main/graphql/schema.graphqls, and the operations you use
// beside it; `./gradlew generateApolloSources` writes the client.
plugins {
    kotlin("jvm") version "2.1.0"
    id("com.apollographql.apollo") version "4.1.1"
}

dependencies {
    implementation("com.apollographql.apollo:apollo-runtime")
    implementation("org.jetbrains.kotlinx:kotlinx-datetime:0.6.1")
}

apollo {
    service("atrium") {
        packageName.set("com.example.atrium")
        mapScalar("DateTime", "kotlinx.datetime.Instant", "com.apollographql.apollo.adapter.KotlinxInstantAdapter")
        mapScalar("Long", "kotlin.Long", "com.apollographql.apollo.api.LongAdapter")
        // The documents by their SHA-256, for examples/register-documents.mts.
        operationManifestFormat.set("persistedQueryManifest")
    }
}
